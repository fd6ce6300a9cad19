"""Approvals bound to content, and the review page."""
