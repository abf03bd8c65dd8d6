"""What supports a study's performance, and what does not."""
