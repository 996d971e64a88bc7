"""The page: ``python -m nst_tf.app`` runs style transfer in a browser.

`studio` runs one job at a time, `uploads` stores uploaded pictures, `form` converts a visitor's
choices to settings, and `views` renders a run as text and pictures. Only `controls` and `page`
import Gradio.
"""
