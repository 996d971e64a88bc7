"""The page: ``python -m nst_tf.app`` shows style transfer in a browser.

`studio` does the runs, one after the other, `uploads` keeps what visitors bring, `form` makes
settings of what they chose, `views` puts a run into words and pictures, and `page` alone knows
Gradio.
"""
