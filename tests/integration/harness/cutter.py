"""A proxy that cuts each connection after so many bytes: a bad line to the server."""
import socket
import threading


class Cutter:
    """`cuts` are bytes of the client's (of the server's, for downloads) after which one connection each is reset; later ones are left alone."""

    def __init__(self, port, cuts, downloads=False):
        self.target, self.cuts, self.done, self.downloads = port, list(cuts), 0, downloads
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:  # it is being started again
            client.close()
            return
        threading.Thread(target=self._copy, args=(server, client, self.downloads), daemon=True).start()
        self._copy(client, server, not self.downloads)

    def _copy(self, source, target, counting):
        seen = 0
        try:
            while data := source.recv(65536):
                target.sendall(data)
                seen += len(data)
                if counting and self.cuts and seen >= self.cuts[0]:
                    self.cuts.pop(0)
                    self.done += 1
                    break
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
