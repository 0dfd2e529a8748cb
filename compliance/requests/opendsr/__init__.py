"""Requests that a company's own privacy program sends, by OpenDSR 2.0 (docs/opendsr.md)."""
