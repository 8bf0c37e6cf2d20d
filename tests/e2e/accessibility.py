"""axe-core over the page that is open: what keeps people out, without Streamlit's own parts."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# Rules that Streamlit's own widgets break, by where; each with what it is.
NOT_OURS = {
    # Streamlit 1.67 puts the header of a navigation group, and a div per group, into the list.
    "list": "stSidebarNavItems",
    "listitem": "<li",
}
OPTIONS = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]}


def serious_violations(page: Page) -> list[str]:
    """Each serious or critical violation of WCAG 2.1 A and AA: rule, element, why."""
    found = []
    for violation in Axe().run(page, options=OPTIONS).response["violations"]:
        rule = violation["id"]
        for node in violation["nodes"]:
            if violation["impact"] not in ("serious", "critical"):
                continue
            if rule in NOT_OURS and NOT_OURS[rule] in node["html"]:
                continue
            why = [check["message"] for check in node["any"]]
            found.append(f"{page.url}: {rule}: {node['html'][:200]} {' '.join(why)}")
    return found
