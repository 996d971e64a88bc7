"""Download weights files and resume interrupted downloads."""

from pathlib import Path

import pooch
import requests
from tqdm.auto import tqdm

from nst_tf.errors import WeightsError
from nst_tf.weights.registry import WEIGHTS

MOST = 2**30  # bytes of a file whose size is not published


def fetch(name, folder="model", *, url=None):
    """Download a weights file; it gets its name only after its checksum is verified.

    An interrupted download leaves FILE.part; the next call resumes it.

    Parameters
    ----------
    name : str
        A key of `WEIGHTS`.
    folder : path
    url : str, optional
        Another URL of the same file. The checksum stays the same.

    Returns
    -------
    Path

    Raises
    ------
    WeightsError
        Unknown name, no connection, not found, interrupted, more bytes than the file has, wrong
        checksum, or a different file with that name exists.
    """
    weights = _entry(name)
    path = Path(folder) / weights.file
    if path.exists():
        if _has_checksum(path, weights.checksum):
            return path
        raise WeightsError(
            f"{path} exists but its checksum is not that of {name}; move it away and retry"
        )
    pooch.get_logger().setLevel("ERROR")
    url = weights.url if url is None else url
    part = path.with_name(path.name + ".part")
    downloader = ResumingDownloader(part, weights.size or MOST)
    try:
        pooch.retrieve(url, weights.checksum, path.name, path.parent, downloader=downloader)
    except requests.HTTPError as error:
        code = error.response.status_code
        raise WeightsError(
            f"{url} answered {code}: look for {weights.file} elsewhere (--url) and put it into "
            f"{folder}/, or try again later"
        ) from error
    except requests.RequestException as error:
        hint = f"; {part} is saved; run again to resume" if part.exists() else ""
        raise WeightsError(f"the download of {name} failed ({error}){hint}") from error
    except ValueError as error:  # from pooch: the checksum differs
        raise WeightsError(
            f"the file from {url} is not {name}: its checksum differs, so it was deleted. "
            "Try again, or download it with a browser and check it with "
            "`python -m nst_tf.weights verify`"
        ) from error
    return path


def _entry(name):
    if name not in WEIGHTS:
        raise WeightsError(f"there are no weights {name!r}; choose from {', '.join(WEIGHTS)}")
    if WEIGHTS[name].url is None:
        raise WeightsError(
            f"{name} needs no download: it is part of nst_tf: use --weights embedded"
        )
    return WEIGHTS[name]


def _has_checksum(path, checksum):
    algorithm, expected = checksum.split(":")
    return pooch.file_hash(str(path), alg=algorithm) == expected


class ResumingDownloader:
    """Downloader for pooch that resumes an interrupted download (HTTP Range).

    It stops after `most` bytes, so that a server without an end can't fill the disk.
    """

    def __init__(self, part, most):
        self.part = part
        self.most = most

    def __call__(self, url, output_file, _):
        """Complete the part and rename it to `output_file`, which pooch verifies."""
        offset = self.part.stat().st_size if self.part.exists() else 0
        headers = {"Accept-Encoding": "identity"} | (
            {"Range": f"bytes={offset}-"} if offset else {}
        )
        with requests.get(url, headers=headers, stream=True, timeout=30) as response:
            if response.status_code != requests.codes.requested_range_not_satisfiable:
                response.raise_for_status()
                resumed = response.status_code == requests.codes.partial_content
                self._write(response, offset if resumed else 0, url)
            # else the part is complete already; pooch verifies its checksum
        self.part.replace(output_file)

    def _write(self, response, offset, url):
        remaining = response.headers.get("Content-Length")
        total = offset + int(remaining) if remaining else None
        size = offset
        if total is not None and total > self.most:
            raise self._too_large(url, f"{total:,} bytes")
        with (
            open(self.part, "ab" if offset else "wb") as file,
            tqdm(total=total, initial=offset, unit="B", unit_scale=True, desc="fetching") as bar,
        ):
            for chunk in response.iter_content(1 << 16):
                size += len(chunk)
                if size > self.most:
                    break
                file.write(chunk)
                bar.update(len(chunk))
        if size > self.most:
            raise self._too_large(url, "more")
        if total is not None and size < total:
            raise requests.ConnectionError(f"received {size:,} of {total:,} bytes")

    def _too_large(self, url, size):
        self.part.unlink(missing_ok=True)
        return WeightsError(
            f"{url} sends {size}, but at most {self.most:,} bytes were expected: it is another "
            "file. The download was stopped and its part removed; choose another --url"
        )
