"""TensorFlow Serving's REST and gRPC protocol over the TensorFlow runtime, for the demo and the tests.

Not TensorFlow Serving itself, which the project's tests do not run: one process without batching, version policies or
TLS. Paths, messages and statuses follow the sources of https://github.com/tensorflow/serving.

    models          SavedModels in memory, no protocol
    json_tensors    JSON values to tensors and back
    metadata        status and signatures of the models
    rest            REST routes; faults: failures that a test asks for
    grpc_services   gRPC
    __main__        options, start and end
"""
