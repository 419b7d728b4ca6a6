"""Does for the blind study what needs a model or the Hub: all of the harness that it may use."""
