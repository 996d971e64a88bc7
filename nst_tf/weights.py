"""Where weights come from: ``python -m nst_tf.weights list | fetch NAME | verify PATH``."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pooch
import requests
from tqdm.auto import tqdm

from nst_tf.console import OneLineParser, complain, hushed
from nst_tf.errors import NstError, WeightsError
from nst_tf.weightfiles import RELEASES, WEIGHTS

# ---------------------------------------------------------------------------- list


def table():
    """Return the table of weights as text, a paragraph a file."""
    return "\n\n".join(
        f"{name}\n"
        f"    what      {weights.what}\n"
        f"    file      {weights.file}\n"
        f"    size      {f'{weights.size:,} bytes' if weights.size else 'not published'}\n"
        f"    checksum  {weights.checksum}\n"
        f"    licence   {weights.licence}\n"
        f"    credit    {weights.credit}\n"
        f"    from      {weights.url or 'part of nst_tf; nothing to fetch'}"
        for name, weights in WEIGHTS.items()
    )


# ---------------------------------------------------------------------------- fetch


def fetch(name, folder="model", *, url=None):
    """Download a file of weights; it takes its name only after its checksum was verified.

    A download that breaks off leaves FILE.part, and the next call goes on from there.

    Parameters
    ----------
    name : str
        A key of `WEIGHTS`.
    folder : path
    url : str, optional
        Another address of the same file. The checksum stays what it is.

    Returns
    -------
    Path

    Raises
    ------
    WeightsError
        Unknown name, no connection, not found, cut off, wrong checksum, or a different file
        under that name already.
    """
    weights = _entry(name)
    path = Path(folder) / weights.file
    if path.exists():
        if _has_checksum(path, weights.checksum):
            return path
        raise WeightsError(
            f"{path} is there but its checksum is not that of {name}; move it away and call again"
        )
    pooch.get_logger().setLevel("ERROR")
    url = weights.url if url is None else url
    part = path.with_name(path.name + ".part")
    try:
        pooch.retrieve(
            url, weights.checksum, path.name, path.parent, downloader=ResumingDownloader(part)
        )
    except requests.HTTPError as error:
        code = error.response.status_code
        raise WeightsError(
            f"{url} answered {code}: look for {weights.file} elsewhere (--url) and put it into "
            f"{folder}/, or try again later"
        ) from error
    except requests.RequestException as error:
        kept = f"; {part} is kept, call again to go on" if part.exists() else ""
        raise WeightsError(f"the download of {name} broke off ({error}){kept}") from error
    except ValueError as error:  # pooch, of a hash that differs
        raise WeightsError(
            f"what came from {url} is not {name}: its checksum differs, so it was thrown away. "
            "Try again, or fetch it with a browser and check it with "
            "`python -m nst_tf.weights verify`"
        ) from error
    return path


def _entry(name):
    if name not in WEIGHTS:
        raise WeightsError(f"there are no weights {name!r}; choose from {', '.join(WEIGHTS)}")
    if WEIGHTS[name].url is None:
        raise WeightsError(f"{name} is not fetched: it is part of nst_tf: use --weights embedded")
    return WEIGHTS[name]


def _has_checksum(path, checksum):
    algorithm, wanted = checksum.split(":")
    return pooch.file_hash(str(path), alg=algorithm) == wanted


class ResumingDownloader:
    """A downloader for pooch that goes on where an earlier one stopped (HTTP Range)."""

    def __init__(self, part):
        self.part = part

    def __call__(self, url, output_file, _):
        """Complete the part, then hand it over to pooch as `output_file` to be verified."""
        have = self.part.stat().st_size if self.part.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=30) as response:
            if response.status_code != requests.codes.requested_range_not_satisfiable:
                response.raise_for_status()
                resumed = response.status_code == requests.codes.partial_content
                self._write(response, have if resumed else 0)
            # else there is nothing after what we have: the checksum will tell
        self.part.replace(output_file)

    def _write(self, response, have):
        rest = response.headers.get("Content-Length")
        total = have + int(rest) if rest else None
        with (
            open(self.part, "ab" if have else "wb") as file,
            tqdm(total=total, initial=have, unit="B", unit_scale=True, desc="fetching") as bar,
        ):
            for chunk in response.iter_content(1 << 16):
                file.write(chunk)
                bar.update(len(chunk))
        size = self.part.stat().st_size
        if total is not None and size < total:
            raise requests.ConnectionError(f"{size:,} of {total:,} bytes came")


# ---------------------------------------------------------------------------- verify


def verify(path):
    """Say what a file of weights is, by checksum, by reading it, and by its first numbers.

    Returns
    -------
    list of str
        What was found, line by line.

    Raises
    ------
    WeightsError
        It can't be read, or its axes or channels are turned round.
    """
    with hushed():
        from nst_tf.trunks.vgg import find_vgg_weights, vgg_reader

    path = find_vgg_weights(path)
    weights = vgg_reader(path)(path)
    with open(path, "rb") as file:
        md5 = hashlib.file_digest(file, "md5").hexdigest()
    network = "VGG-19" if len(weights.convolutions) == 16 else "VGG-16"
    kind = fingerprint(weights.convolutions)
    if kind in WRONG:
        raise WeightsError(f"{path} is {network} but {WRONG[kind]}; fetch the released file")
    return [
        f"{path}: {path.stat().st_size:,} bytes, MD5 {md5}",
        f"release: {RELEASES.get(md5, 'none that is known by its checksum')}",
        f"layers: the {len(weights.convolutions)} convolutions of {network}, "
        "shapes as expected, all finite",
        f"mean: {' '.join(f'{value:.3f}' for value in weights.mean)} (RGB)",
        f"numbers: {FOUND[kind]}",
    ]


WRONG = {
    "swapped": "its kernels have height and width swapped",
    "bgr": "its first layer takes blue-green-red input",
}
FOUND = {
    "vgg19": "Oxford's VGG-19, right way up, RGB",
    "vgg16": "Oxford's VGG-16, right way up, RGB",
    "unknown": "not those of Oxford's VGG-19 or VGG-16: trained anew or changed",
}
# Of the first filter of conv1_1: (red, green, blue) at (0, 0), red at (0, 1), red at (1, 0), and
# how far a file's numbers may be from these. VGG-16's are those of the embedded file, in float16.
PROBES = {
    "vgg19": ((0.39416704, 0.46418372, 0.34119523), 0.37740308, 0.2671299, 1e-4),
    "vgg16": ((0.47998047, 0.55029297, 0.42944336), 0.40844727, 0.31054688, 3e-4),
}


def fingerprint(convolutions):
    """Identify VGG-19 or VGG-16 by the first numbers of conv1_1.

    Parameters
    ----------
    convolutions : dict
        Layer name to (kernel (3, 3, in, out), bias), as read.

    Returns
    -------
    {"vgg19", "vgg16", "swapped", "bgr", "unknown"}
        "swapped": one of the two with height and width swapped; "bgr": with blue-green-red input.
    """
    kernel, _ = convolutions["conv1_1"]

    def numbers(order):
        red = order[0]
        return [*kernel[0, 0, list(order), 0], kernel[0, 1, red, 0], kernel[1, 0, red, 0]]

    for network, (corner, right, below, atol) in PROBES.items():
        for kind, order, expected in [
            (network, (0, 1, 2), (*corner, right, below)),
            ("swapped", (0, 1, 2), (*corner, below, right)),
            ("bgr", (2, 1, 0), (*corner, right, below)),
        ]:
            if np.allclose(numbers(order), expected, rtol=0, atol=atol):
                return kind
    return "unknown"


# ---------------------------------------------------------------------------- command line


def main(arguments=None):
    """Run the command line; return 0, 2 for bad input, 130 for Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "list":
            print(table())
        elif options.command == "fetch":
            path = fetch(options.name, options.folder, url=options.url)
            print(f"{path} is there and its checksum is right")
        else:
            print("\n".join(verify(options.path)))
    except NstError as error:
        return complain(error, 2)
    except OSError as error:
        return complain(f"{error.filename or 'a file'}: {error.strerror or error}", 2)
    except KeyboardInterrupt:
        return complain("interrupted; call again to go on", 130)
    return 0


def _parser():
    parser = OneLineParser(prog="python -m nst_tf.weights", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name, size, checksum, licence, credit and URL of each file")
    fetching = commands.add_parser("fetch", help="download a file, or go on with it")
    fetching.add_argument("name", metavar="NAME", help=", ".join(WEIGHTS))
    fetching.add_argument("--folder", default="model", help="where to (default: model)")
    fetching.add_argument("--url", help="another address of the same file; its checksum must agree")
    verifying = commands.add_parser("verify", help="tell what a file is and whether it is sound")
    verifying.add_argument("path", metavar="PATH")
    return parser


if __name__ == "__main__":
    sys.exit(main())
