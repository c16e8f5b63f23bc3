"""Classify posts: does this one report an adverse drug event of its author?"""
