//! Processes that pretend to be agents, and the cost of looking at them.
