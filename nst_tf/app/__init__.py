"""The page: ``python -m nst_tf.app`` runs style transfer in a browser.

`studio` runs one of the `orders` at a time, `uploads` stores uploaded files, `layers` reads painted
masks, `form` converts a visitor's choices to settings, and `views` renders a run as text and
pictures. `films` has films read and painted by another process, `film_program`. Only `controls`
and `page` import Gradio; `gate` decides which requests reach it.
"""

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")  # addresses of this machine alone
