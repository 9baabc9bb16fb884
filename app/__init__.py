"""voxtrace: the service. `create_app` is lazy, so that workers never import Flask."""
