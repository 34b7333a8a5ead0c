"""The demonstration: real models, real data, real verdicts, in a folder of its own.

This package plays the team that builds models: it trains, registers, and writes down what it predicted in the pilot.
Then it asks for verdicts as everybody does. Nothing here knows what the verdicts will be.
"""
