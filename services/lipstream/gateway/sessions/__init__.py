"""Live sessions: speech in as it comes, a talking face out at the pace of one clock."""
