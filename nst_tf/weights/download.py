"""Downloads weights files and resumes downloads that broke off."""

from pathlib import Path

import pooch
import requests
from tqdm.auto import tqdm

from nst_tf.errors import WeightsError
from nst_tf.weights.registry import WEIGHTS


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
