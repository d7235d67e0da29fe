# SPDX-License-Identifier: Apache-2.0
# Copyright The ccdm authors
"""tpm - a TPM that misbehaves: a proxy between QEMU and swtpm

QEMU passes swtpm, over its control channel, one end of a pair of sockets for the commands
(CMD_SET_DATAFD). The proxy keeps that end, passes on another one, and sees every command.
"""
import socket
import struct
import threading

GET_CAPABILITY, PCR_EVENT = 0x17a, 0x13c
CAP_PCRS = 5
PCR = 15        # the register into which the boot measures
RC_LOCKOUT = 0x921


def answer(rc=0, body=b""):
    return struct.pack(">HII", 0x8001, 10 + len(body), rc) + body


# Faults. Each gets a command. Return: the command for swtpm, and the answer if it is not swtpm's. They
# take effect from the first command on with which the boot measures.

def hangs(code, command):
    """It accepts the first measurement, and never answers."""
    return command, b"" if code == PCR_EVENT else None


def locked(code, command):
    """It refuses, as in lockout."""
    return command, answer(RC_LOCKOUT) if code == PCR_EVENT else None


def lies(code, command):
    """It claims that it extended the register, but extended another one."""
    return command[:10] + struct.pack(">I", PCR - 1) + command[14:] if code == PCR_EVENT else command, None


def blind(code, command):
    """It claims that it has no banks."""
    asked = code == GET_CAPABILITY and struct.unpack(">I", command[10:14])[0] == CAP_PCRS
    return command, answer(0, struct.pack(">BII", 0, CAP_PCRS, 0)) if asked else None


class Proxy:
    """Listens at path for QEMU, and connects to swtpm at real; meddle is one of the functions above."""

    def __init__(self, path, real, meddle):
        self.real, self.meddle = real, meddle
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self._start(self._control)

    @staticmethod
    def _start(run, *args):
        threading.Thread(target=Proxy._until_closed, args=(run, *args), daemon=True).start()

    @staticmethod
    def _until_closed(run, *args):
        try:
            run(*args)
        except OSError:     # QEMU or swtpm has ended
            pass
        for s in args:
            s.close()

    def _control(self):
        qemu, _ = self.listener.accept()
        self.listener.close()
        swtpm = socket.socket(socket.AF_UNIX)
        swtpm.connect(self.real)
        self._start(self._answers, swtpm, qemu)
        while True:
            data, fds, _, _ = socket.recv_fds(qemu, 4096, 1)
            if not data:
                swtpm.shutdown(socket.SHUT_RDWR)    # ends _answers, which closes both
                return
            if fds:
                ours, theirs = socket.socketpair()
                self._start(self._commands, socket.socket(fileno=fds[0]), ours)
                socket.send_fds(swtpm, [data], [theirs.fileno()])
                theirs.close()
            else:
                swtpm.sendall(data)

    @staticmethod
    def _answers(swtpm, qemu):
        while True:
            data = swtpm.recv(4096)
            if not data:
                return
            qemu.sendall(data)

    def _commands(self, qemu, swtpm):
        measures = False
        while True:
            command = message(qemu)
            code, handle = struct.unpack(">II", command[6:14].ljust(8, b"\0"))
            measures |= code == PCR_EVENT and handle == PCR
            command, said = self.meddle(code, command) if measures else (command, None)
            if said is None:
                swtpm.sendall(command)
                said = message(swtpm)
            qemu.sendall(said)


def message(s):
    """Read a complete command or answer; its header contains the length."""
    data = b""
    while len(data) < 10 or len(data) < struct.unpack(">I", data[2:6])[0]:
        more = s.recv(65536)
        if not more:
            raise OSError("closed")
        data += more
    return data
