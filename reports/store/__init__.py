"""Reading a store: manifests, run plans, scores and samples, each checked before it is believed."""
