"""Words of a report that are seen when it opens, and those folded away, with the sentences that are said again.

python benchmarks/report_words.py results/nat_response/report.html [more pages]
"""

import re
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

UNREAD = ("script", "style", "svg", "nav", "head")
BLOCKS = ("p", "li", "tr", "h1", "h2", "h3", "h4", "div", "summary", "figcaption", "dt", "dd", "caption", "td", "th")


class Words(HTMLParser):
    """Texts of a page, those within closed ``details`` apart; a summary is seen."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen, self.folded, self.sentences = [], [], [""]
        self.depth, self.unread, self.summary = 0, 0, 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.depth += tag == "details"
        self.unread += tag in UNREAD
        self.summary += tag == "summary"
        if tag in BLOCKS:
            self.sentences.append("")

    def handle_endtag(self, tag):
        self.depth -= tag == "details"
        self.unread -= tag in UNREAD
        self.summary -= tag == "summary"

    def handle_data(self, data):
        if self.unread:
            return
        opened = self.depth == 0 or (self.depth == 1 and self.summary > 0)
        (self.seen if opened else self.folded).extend(re.findall(r"\w[\w'.%–-]*", data))
        if opened:
            self.sentences[-1] += re.sub(r"\s+", " ", data)

    def repeated(self, longest: int = 8) -> dict[str, int]:
        """Sentences of more than ``longest`` words that are seen more than once when the page opens."""
        found = (part.strip() for text in self.sentences for part in re.split(r"(?<=[.;]) ", text))
        counts = Counter(part for part in found if len(part.split()) > longest)
        return {part: count for part, count in counts.most_common() if count > 1}


if __name__ == "__main__":
    for page in sys.argv[1:]:
        words = Words(Path(page).read_text(encoding="utf-8"))
        print(f"{page}: {len(words.seen)} words seen, {len(words.folded)} folded away")
        for sentence, count in list(words.repeated().items())[:5]:
            print(f"  {count} × {sentence}")
