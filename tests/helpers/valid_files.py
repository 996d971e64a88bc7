"""Small valid files of every kind that nst_tf reads, as name -> bytes."""

import contextlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pillow_heif
import tifffile
from damage import png_chunk
from mat_files import (
    LAYOUTS,
    save_by_keras,
    tiny_vgg,
    write_frossard,
    write_keras,
    write_matconvnet,
    write_vgg_npz,
)
from pictures import make_picture
from PIL import Image, ImageCms
from squeezenet_files import tiny_squeezenet, write_npz, write_tf2

from nst_tf.config import SETTINGS, JobConfig
from nst_tf.image.io import save_image
from nst_tf.jobs.run import run_job
from nst_tf.rundir import checkpoint
from nst_tf.rundir.checkpoint import save_checkpoint
from nst_tf.transfer import Position

PICTURE = make_picture(40, 52)
pillow_heif.register_heif_opener()


def pictures():
    """Return a picture in each format that Pillow writes, in the relevant modes."""
    rgb = Image.fromarray(PICTURE)
    rgba = rgb.copy()
    rgba.putalpha(rgb.getchannel(0))
    gray16 = Image.fromarray(np.arange(40 * 52, dtype=np.uint16).reshape(40, 52) * 31)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "upright"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    metadata = {"exif": exif, "icc_profile": profile}
    animation = {"save_all": True, "append_images": [rgb.rotate(90), rgb]}
    cases = [
        ("rgb.png", rgb, metadata),
        ("rgba.png", rgba, {}),
        ("palette.png", rgb.quantize(9), {"transparency": 3}),
        ("gray16.png", gray16, {}),
        ("bit.png", rgb.convert("1"), {}),
        ("film.png", rgb, animation),
        ("plain.jpg", rgb, metadata),
        ("progressive.jpg", rgb, {"progressive": True}),
        ("cmyk.jpg", rgb.convert("CMYK"), {}),
        ("lossy.webp", rgb, metadata),
        ("lossless.webp", rgba, {"lossless": True}),
        ("film.webp", rgb, animation),
        ("raw.tif", rgb, metadata),
        ("lzw.tif", rgba, {"compression": "tiff_lzw"}),
        ("deflate.tif", rgb, {"compression": "tiff_deflate"}),
        ("jpeg.tif", rgb, {"compression": "jpeg"}),
        ("float.tif", Image.fromarray(PICTURE[:, :, 0].astype(np.float32)), {}),
        ("fax.tif", rgb.convert("1"), {"compression": "group4"}),
        ("one.gif", rgb, {}),
        ("film.gif", rgb, animation),
        ("rgb.bmp", rgb, {}),
        ("palette.bmp", rgb.quantize(16), {}),
        ("icon.ico", rgba, {"sizes": [(48, 40)]}),
        ("icon.icns", rgba.resize((128, 128)), {}),
        ("rgb.ppm", rgb, {}),
        ("gray.pgm", rgb.convert("L"), {}),
        ("rgb.tga", rgb, {"compression": "tga_rle"}),
        ("rgb.pcx", rgb, {}),
        ("rgb.sgi", rgb, {}),
        ("rgb.jp2", rgb, {}),
        ("rgb.avif", rgb, {}),
        ("rgb.heic", rgb, {}),
        ("rgb.dds", rgb, {}),
        ("rgb.qoi", rgb, {}),
        ("rgb.eps", rgb, {}),
        ("rgb.im", rgb, {}),
        ("bit.xbm", rgb.convert("1"), {}),
        ("bit.msp", rgb.convert("1"), {}),
    ]
    return {case[0]: _encoded(*case) for case in cases} | {"rgb.psd": _psd(), **_wide_tiffs()}


def _wide_tiffs():
    """Return TIFFs that Pillow does not write."""
    wide = PICTURE.astype(np.uint16) * 257
    cases = {
        "planes.tif": (np.moveaxis(wide, 2, 0), {"planarconfig": "separate"}),
        "deflate16.tif": (wide, {"compression": "zlib", "tile": (16, 16)}),
        "float.tiff": (PICTURE / np.float32(255), {"compression": "zlib"}),
        "big.tif": (PICTURE, {"bigtiff": True, "byteorder": ">"}),
    }
    contents = {}
    for name, (values, options) in cases.items():
        data = io.BytesIO()
        tifffile.imwrite(data, values, photometric="rgb", **options)
        contents[name] = data.getvalue()
    return contents


def _encoded(name, picture, options):
    data = io.BytesIO()
    suffix = Path(name).suffix
    picture.save(data, Image.registered_extensions()[suffix], **options)
    return data.getvalue()


def _psd():
    """Return a Photoshop file, which Pillow reads but does not write."""
    height, width, channels = PICTURE.shape
    header = b"8BPS\0\1" + b"\0" * 6 + channels.to_bytes(2) + height.to_bytes(4) + width.to_bytes(4)
    planes = PICTURE.transpose(2, 0, 1).tobytes()
    return header + b"\0\x08\0\x03" + b"\0" * 12 + b"\0\0" + planes


def from_writers(**writers):
    """Return a function that returns the files written by `writers`."""

    def files(folder):
        contents = {}
        for name, write in writers.items():
            path = Path(folder) / name.replace("__", ".")
            write(path)
            contents[path.name] = path.read_bytes()
            path.unlink()
        return contents

    return files


def mat_files(folder):
    writers = {
        f"{layout}__mat": lambda path, layout=layout: write_matconvnet(path, tiny_vgg(), layout)
        for layout in LAYOUTS
    }
    return from_writers(**writers)(folder)


def hdf5_files(folder):
    return from_writers(
        keras__h5=lambda path: write_keras(path, tiny_vgg(16)),
        packed__h5=lambda path: write_keras(path, tiny_vgg(16), compression="gzip"),
        model__h5=lambda path: save_by_keras(path, tiny_vgg(16)),
        numbered__weights__h5=lambda path: save_by_keras(path, tiny_vgg(16)),
        model__keras=lambda path: save_by_keras(path, tiny_vgg(16)),
    )(folder)


def npz_files(folder):
    return from_writers(
        squeezenet__npz=lambda path: write_npz(path, tiny_squeezenet(), pixels="caffe"),
        seven__npz=lambda path: write_npz(path, tiny_squeezenet(7), "rgb", channel_order="rgb"),
    )(folder)


def vgg_npz_files(folder):
    return from_writers(
        half__npz=lambda path: write_vgg_npz(path, tiny_vgg(16)),
        single__npz=lambda path: write_vgg_npz(path, tiny_vgg(19), np.float32),
        vgg16_weights__npz=lambda path: write_frossard(path, tiny_vgg(16)),
    )(folder)


def tensorflow_files(folder):
    """Return the two files of a checkpoint of CS231n's SqueezeNet."""
    write_tf2(Path(folder) / "squeezenet.ckpt", tiny_squeezenet())
    paths = sorted(Path(folder).glob("squeezenet.ckpt.*"))
    data = {path.name: path.read_bytes() for path in paths}
    for path in paths:
        path.unlink()
    return data


CONFIG = JobConfig().changed(
    content="content.png",
    style=("style.png", "style.png"),
    style_weights=(1.0, 0.5),
    masks=("mask.png", "not:mask.png"),
    content_layer_weights=(1.0,),
    learning_rate=2.0,
    size="48x40",
    iterations=2,
    weights="tiny.mat",
    optimizer="adam",
)


def config_files(folder):
    return {"config.json": CONFIG.text().encode(), "small.json": b'{"alpha": 3, "size": 512}'}


def job_lists(folder):
    """Return job lists in every format."""
    job = {"name": "first", "content": "a.jpg", "style": ["b.jpg", "c.jpg"], "alpha": 2.5}
    content = {"defaults": {"size": "96"}, "jobs": [job, {"content": "d.jpg", "style": "b.jpg"}]}
    toml = (
        '[defaults]\nsize = "96"\n\n[[jobs]]\nname = "first"\ncontent = "a.jpg"\n'
        'style = ["b.jpg", "c.jpg"]\nalpha = 2.5\n\n[[jobs]]\ncontent = "d.jpg"\nstyle = "b.jpg"\n'
    )
    table = "name,content,style,alpha\r\nfirst,a.jpg,b.jpg;c.jpg,2.5\r\n,d.jpg,b.jpg,\r\n"
    return {
        "jobs.json": json.dumps(content).encode(),
        "jobs.toml": toml.encode(),
        "jobs.csv": table.encode(),
    }


def settings_files(folder):
    """Return a result.png with its settings."""
    write = from_writers(
        result__png=lambda path: save_image(path, PICTURE, notes={SETTINGS: CONFIG.text()})
    )
    return write(folder)


def make_position(loop=("m", "v")):
    """Return a position in a small Adam run."""
    image = np.random.default_rng(0).normal(size=(1, 40, 48, 3)).astype(np.float32)
    arrays = {"image": image, "updates": np.asarray(3)} | dict.fromkeys(loop, image)
    history = [{"total": 3.0 - i / 8, "content": 0.1 * i, "style": 1 / 3} for i in range(4)]
    return Position(0, 3, arrays, history, 1.5)


def checkpoint_files(folder):
    path = save_checkpoint(folder, make_position())
    data = path.read_bytes()
    path.unlink()
    return {path.name: data}


def run_files():
    """Return the files of a run folder that a report reads, without pictures."""
    losses = "iteration,total,content,style,tv,seconds\r\n" + "".join(
        f"{i},{9 / (i + 1)},{0.1 * i},{1 / (i + 1)},,{0.5 * i:.3f}\r\n" for i in range(9)
    )
    journal = {
        "format": 1,
        "model": "VGG-19 from tiny.mat",
        "config": "0" * 64,
        "files": {"content": {"path": "content.png", "sha256": "0" * 64}},
        "versions": {"numpy": "2.0", "Pillow": "12"},
        "finished": {"iterations": 8, "seconds": 4.0, "gibibytes": 0.5},
    }
    return {
        "config.json": CONFIG.text().encode(),
        "journal.json": json.dumps(journal).encode(),
        "losses.csv": losses.encode(),
    }


def interrupted_run_files(folder):
    """Return the files of a run that was interrupted at its second checkpoint."""
    saved, original = [], checkpoint.save_checkpoint

    def save(run_folder, position):
        saved.append(original(run_folder, position))
        if len(saved) == 2:
            raise EOFError

    checkpoint.save_checkpoint, checkpoint.SHARE = save, 1e9
    parent = Path(folder).parent
    config = JobConfig().changed(
        content=str(parent / "content.png"),
        style=str(parent / "style.png"),
        weights=str(parent / "tiny.mat"),
        size="48",
        schedule="tutorial",
        iterations=6,
        save_every=0,
        checkpoint_every=0,
    )
    with contextlib.suppress(EOFError):
        run_job(config, Path(folder) / "cut", say=lambda line: None)
    files = {path.name: path.read_bytes() for path in (Path(folder) / "cut").iterdir()}
    shutil.rmtree(Path(folder) / "cut")
    return {name: data for name, data in files.items() if data and not name.startswith(".")}


def png_with(*chunks, size=(52, 40), bits=8, color=2, pixels=b"x\x9c\x03\0\0\0\0\1"):
    """Return a PNG with any header and extra chunks (kind, data) before the pixels."""
    width, height = size
    header = width.to_bytes(4) + height.to_bytes(4) + bytes([bits, color, 0, 0, 0])
    parts = [(b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*part) for part in parts)
