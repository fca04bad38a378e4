"""Leaves in RESULT_DIR what a job may leave there by mistake or on purpose: links, FIFOs, sockets, folders."""
import json
import os
import socket

params = json.loads(os.environ["JR_PARAMS"])
os.chdir(os.environ["RESULT_DIR"])
with open("plain.txt", "w") as file:
    file.write("plain\n")
os.makedirs("folder/deep")
with open("folder/deep/inner.txt", "w") as file:
    file.write("inner\n")
os.symlink(params["canary"], "link_absolute")
os.symlink(os.path.relpath(params["canary"], os.getcwd()), "link_relative")
os.symlink("plain.txt", "link_inside")
os.symlink("/", "link_root")
os.symlink(os.path.dirname(params["canary"]), "link_folder")
os.symlink("folder", "link_folder_inside")
os.symlink("/proc/self/root", "link_proc")
os.symlink("/dev/zero", "link_zero")
os.symlink(params["database"], "link_database")
os.symlink("loop", "loop")
os.mkfifo("fifo")
os.link("plain.txt", "hard.txt")
listener = socket.socket(socket.AF_UNIX)
listener.bind("socket")
for name in ("with space.txt", "quote\"s.txt", "semi;colon.txt", "new\nline.txt", "cr\r\nX-Injected: 1.txt", "caf\u00e9.txt",
             "percent%41.txt", "plus+.txt", "-dash.txt", "back\\slash.txt", ".hidden", "a" * 255):
    with open(name, "w") as file:
        file.write(name)
with open(b"bad\xff\xfe.txt", "w") as file:
    file.write("bad")
