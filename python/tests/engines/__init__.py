"""Tests of narrows.spark and narrows.ray: slow, so `just engines` runs them."""
