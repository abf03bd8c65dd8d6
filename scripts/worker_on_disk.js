// Browsers refuse a worker to a page that was opened from the disk: the search's worker runs in a hidden frame instead.
if (location.protocol === "file:")
  window.Worker = class {
    constructor(address) {
      this.waiting = [];
      const frame = (this.frame = document.createElement("iframe"));
      frame.hidden = true;
      document.body.append(frame);
      const inner = frame.contentWindow;
      inner.postMessage = (data) => {
        const message = new MessageEvent("message", { data: structuredClone(data) });
        setTimeout(() => this.onmessage && this.onmessage(message));
      };
      const script = inner.document.createElement("script");
      script.src = new URL(address, location.href);
      script.onload = () => {
        this.ready = true;
        for (const data of this.waiting.splice(0)) this.postMessage(data);
      };
      script.onerror = () => this.onerror && this.onerror(new ErrorEvent("error"));
      inner.document.body.append(script);
    }
    postMessage(data) {
      const inner = this.frame.contentWindow;
      if (!this.ready) this.waiting.push(data);
      else setTimeout(() => inner.onmessage(new MessageEvent("message", { data: structuredClone(data) })));
    }
    terminate() {
      this.frame.remove();
    }
  };
