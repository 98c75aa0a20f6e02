"""Serves TensorFlow models; run as `python -m demo.model_server --model NAME=FOLDER ...` in the repository's root."""
import argparse
import asyncio
import os
import signal
import socket
import sys
from pathlib import Path
from typing import NamedTuple

HOST = "127.0.0.1"
USAGE = """
Prints one line READY rest=PORT grpc=PORT once it serves, and ends on SIGINT and SIGTERM with exit code 0.
Exit code 1: a model or port that it cannot have; 2: arguments that it does not understand.
"""


class ModelFolder(NamedTuple):
    name: str
    folder: Path


class Label(NamedTuple):
    model: str
    label: str
    version: int


def model_folder(text: str) -> ModelFolder:
    name, _, folder = text.partition("=")
    if not name or not folder:
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=FOLDER")
    return ModelFolder(name, Path(folder))


def version_label(text: str) -> Label:
    names, _, version = text.rpartition("=")
    model, _, label = names.partition(":")
    if not model or not label or not version.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME:LABEL=VERSION")
    return Label(model, label, int(version))


def port_number(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port (0..65535)")
    return int(text)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m demo.model_server",
        description="TensorFlow Serving's REST and gRPC protocol over the TensorFlow runtime, on 127.0.0.1.",
        epilog=USAGE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model", action="append", required=True, type=model_folder, metavar="NAME=FOLDER",
        help="a folder that holds SavedModels as FOLDER/1, FOLDER/2, ...; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--label", action="append", default=[], type=version_label, metavar="NAME:LABEL=VERSION",
        help="another name for a version; may be given several times",
    )  # fmt: skip
    parser.add_argument("--rest-port", type=port_number, default=0, metavar="PORT", help="0 (default): any free one")
    parser.add_argument("--grpc-port", type=port_number, default=0, metavar="PORT", help="0 (default): any free one")
    parser.add_argument("--threads", type=int, default=2, help="predictions that run at once (default 2)")
    parser.add_argument(
        "--tensor-content", action="store_true",
        help="gRPC outputs as bytes in tensor_content instead of the typed fields",
    )  # fmt: skip
    return parser.parse_args()


class StartFailure(Exception):
    """Its text is the one sentence that the user reads."""


def port_taken(option: str, port: int, error: OSError | None = None) -> StartFailure:
    reason = f" ({error.strerror})" if error and error.strerror else ""
    return StartFailure(f"Cannot listen on {HOST}:{port}, give another {option}{reason}.")


def check_port(option: str, port: int) -> None:
    """Before the models are loaded, so that a taken port is told at once."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise port_taken(option, port, error) from error


def load(options: argparse.Namespace):
    from .models import Registry, version_folders  # TensorFlow takes seconds to import

    registry = Registry()
    for name, folder in options.model:
        if not version_folders(folder):
            raise StartFailure(f"The folder {folder} of --model {name} holds no version such as {folder / '1'}.")
    for name, folder in options.model:
        try:
            registry.load(name, folder)
        except Exception as error:
            raise StartFailure(f"Cannot load the model in {folder} of --model {name}: {error}") from error
    for model, label, version in options.label:
        registry.set_label(model, label, version)
    return registry


async def serve(options: argparse.Namespace, registry) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from aiohttp import web

    from .grpc_services import create_server
    from .rest import KEEPALIVE_SECONDS, RestApi

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with ThreadPoolExecutor(options.threads, "predict") as executor:
        grpc_server = create_server(registry, executor, options.tensor_content)
        try:
            grpc_port = grpc_server.add_insecure_port(f"{HOST}:{options.grpc_port}")
        except RuntimeError as error:
            raise port_taken("--grpc-port", options.grpc_port) from error
        await grpc_server.start()
        runner = web.AppRunner(
            RestApi(registry, executor).application(),
            access_log=None, keepalive_timeout=KEEPALIVE_SECONDS, shutdown_timeout=0.2,
        )  # fmt: skip
        await runner.setup()
        try:
            site = web.TCPSite(runner, HOST, options.rest_port)
            try:
                await site.start()
            except OSError as error:
                raise port_taken("--rest-port", options.rest_port, error) from error
            rest_port = runner.addresses[0][1]
            print(f"READY rest={rest_port} grpc={grpc_port}", flush=True)
            await stop.wait()
        finally:
            await asyncio.gather(runner.cleanup(), grpc_server.stop(0.2))


def main() -> None:
    # Until it serves there is nothing to tidy up: a signal ends it even within TensorFlow's long import.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    options = parse_arguments()
    try:
        for name, folder in options.model:
            if not folder.is_dir():
                raise StartFailure(f"The folder {folder} of --model {name} does not exist.")
        check_port("--rest-port", options.rest_port)
        check_port("--grpc-port", options.grpc_port)
        asyncio.run(serve(options, load(options)))
    except StartFailure as failure:
        sys.exit(f"demo.model_server: {failure}")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # all is closed; TensorFlow's modules would take up to a second more to be taken apart


if __name__ == "__main__":
    main()
