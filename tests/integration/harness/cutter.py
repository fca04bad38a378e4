"""A proxy that cuts each connection after so many bytes of the client's: a bad line to the server."""
import socket
import threading


class Cutter:
    """`cuts` are bytes after which one connection each is reset; later ones are left alone."""

    def __init__(self, port, cuts):
        self.target, self.cuts, self.done = port, list(cuts), 0
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
        threading.Thread(target=self._copy, args=(server, client, None), daemon=True).start()
        self._copy(client, server, self)

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
