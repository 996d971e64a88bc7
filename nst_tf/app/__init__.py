"""The page: ``python -m nst_tf.app`` runs style transfer in a browser.

`studio` runs one job at a time, `uploads` stores uploaded pictures, `layers` reads painted masks,
`form` converts a visitor's choices to settings, and `views` renders a run as text and pictures.
Only `controls` and `page` import Gradio; `gate` decides which requests reach it.
"""

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")  # addresses of this machine alone
