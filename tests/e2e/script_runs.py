"""Which runs of its script a page has asked for and which have ended, from its messages."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from playwright.sync_api import Page, WebSocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


@dataclass
class ScriptRuns:
    """What the newest message about runs of the script says.

    Attributes:
        pending: A run was asked for and has not ended.
    """

    pending: bool = False

    def sent(self, frame: bytes | str) -> None:
        """The page wrote to the server."""
        if isinstance(frame, bytes) and BackMsg.FromString(frame).HasField("rerun_script"):
            self.pending = True

    def received(self, frame: bytes | str) -> None:
        """The server wrote to the page."""
        if not isinstance(frame, bytes):
            return
        message = ForwardMsg.FromString(frame)
        if message.HasField("script_finished"):
            self.pending = message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN
        elif message.HasField("new_session"):
            self.pending = True


_runs: WeakKeyDictionary[Page, ScriptRuns] = WeakKeyDictionary()


def follow_scripts(page: Page) -> None:
    """Listens to the messages of a page from now on."""
    runs = _runs[page] = ScriptRuns()

    def opened(socket: WebSocket) -> None:
        socket.on("framesent", runs.sent)
        socket.on("framereceived", runs.received)

    page.on("websocket", opened)


def is_pending(page: Page) -> bool:
    """Whether a run that the page has asked for has not ended."""
    return _runs[page].pending
