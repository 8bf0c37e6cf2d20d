"""A script that shows hostile texts everywhere a page shows people's own text; run by Streamlit."""

import streamlit as st

from pages.ui.session import messages
from pages.ui.session.messages import plain

TEXTS = (
    "/x/a*b*c and **bold** and __bold__ and _slanted_ but batch_size stays",
    "[a](http://evil.test/b) ![i](http://evil.test/i.png) [r]: http://evil.test",
    "<b>bold</b> <img src=http://evil.test/i.png> <http://evil.test> <!-- gone -->",
    "&lt;b&gt; &amp; &#65; AT&T",
    "`code` ``more`` ~~gone~~ $x^2$ $$y$$ \\(z\\)",
    ":red[red] :material/home: :smile: :blue-badge[b] :small[s] :streamlit: 12:30:45",
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "12) item",
    "> quoted",
    "===",
    "---",
    "| a | b |",
    "    four spaces   and a\ttab",
    "first\n\n# second\n- third",
    "http://evil.test/a_b_c https://evil.test www.evil.test me@evil.test",
    "back\\slash C:\\new\\*x*",
    "{braces} (parens) [brackets] !bang ^caret^ %percent% 'q' \"q\"",
    "[^1] footnote [^1]: text",
    "- [ ] task",
    "नमस्ते สวัสดี é e\u0301 \u202eright to left\u202c",
)

if __name__ == "__main__":
    for number, text in enumerate(TEXTS):
        with st.container(key=f"case-{number}"):
            st.markdown(plain(text))
            st.markdown(f"**Before** {plain(text)}")
            st.caption(plain(text))
            st.title(plain(text))
            messages.error(text)
            messages.warning(text)
            messages.info(text)
            st.button(plain(text), key=f"button-{number}")
            st.metric(plain(text), "1")
