"""The parts around the pipelines, as real processes: broker, model server, cameras, services, browser.

The demo, the tests of whole pipelines and the benches run the same stack; see `demo.stack.stack.Stack`.
"""
