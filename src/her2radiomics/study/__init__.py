"""From a configuration to runs: protocol, plan, and which files each output is made from."""
