"""replyctl pages: valid HTML, links that lead somewhere, nothing from other hosts."""

import html.parser
import re

from support import Case

EMPTY = {"meta", "br", "hr", "img", "link", "input"}
BLOCKS = {"p", "ul", "section", "details", "h1", "h2", "main", "footer", "div"}


class Page(html.parser.HTMLParser):
    """Fails on a tag that is not closed in its turn, or stands where HTML does not allow it."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.links, self.titles, self.words, self.faults = [], [], [], [], []
        self.feed(text)
        self.close()
        if self.open:
            self.faults.append(f"not closed: {self.open}")

    def handle_starttag(self, tag, attrs):
        if "p" in self.open and tag in BLOCKS:
            self.faults.append(f"{tag} inside p")
        if tag == "li" and self.open[-1] != "ul":
            self.faults.append("li outside ul")
        if tag not in EMPTY:
            self.open.append(tag)
        for name, value in attrs:
            if name == "href":
                self.links.append(value)
            if name in ("src", "onclick", "style"):
                self.faults.append(name)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"closed out of turn: {tag}")

    def handle_data(self, data):
        if self.open and self.open[-1] == "title":
            self.titles.append(data)
        if "body" in self.open:
            self.words.append(data)


class TestPages(Case):
    def setUp(self):
        super().setUp()
        self.pages = self.folder / "pages"
        self.said = self.text("pages", "--contact", "postmaster@example.net", self.pages)

    def read(self, name):
        return (self.pages / name / "index.html").read_text()

    def test_every_page_is_valid_and_its_links_lead_somewhere(self):
        files = list(self.pages.rglob("*.html"))
        self.assertGreater(len(files), 150)
        self.assertIn(f"{len(files)} pages", self.said)
        for file in files:
            text = file.read_text()
            self.assertTrue(text.startswith('<!DOCTYPE html>\n<html lang="en">'), file)
            page = Page(text)
            self.assertEqual(page.faults, [], file)
            self.assertEqual(len(page.titles), 1, file)
            self.assertNotRegex(text, r"[\x00-\x08\x0b-\x1f]")
            self.assertIsNone(re.search(r"https?://|<script", text), file)
            for link in page.links:
                if not link.startswith("mailto:"):
                    self.assertTrue((file.parent / link).is_file(), f"{file}: {link}")

    def test_every_page_can_be_reached(self):
        seen, left = set(), [self.pages / "index.html"]
        while left:
            file = left.pop().resolve()
            if file in seen:
                continue
            seen.add(file)
            left += [file.parent / link for link in Page(file.read_text()).links if not link.startswith("mailto:")]
        for name in ("5.1.1", "4.1.1", "550", "421", "user-unknown", "greylisted"):
            self.assertIn((self.pages / name / "index.html").resolve(), seen)

    def test_page_answers_an_outsider(self):
        text = self.read("5.1.1")
        self.assertIn("If you sent the message:", text)
        self.assertIn("mailto:postmaster@example.net", text)
        self.assertIn("Quote the whole reply", text)
        self.assertIn("There is no such mailbox here.", self.read("user-unknown"))

    def test_success_has_no_page(self):
        for name in ("2.1.5", "5.1.5", "250"):
            self.assertFalse((self.pages / name).exists(), name)

    def test_numbers_of_no_table(self):
        self.assertEqual(Page((self.pages / "404.html").read_text()).links, ["mailto:postmaster@example.net"])

    def test_contact_is_escaped(self):
        other = self.folder / "other"
        self.text("pages", "--contact", '"><script>alert(1)</script>', other)
        text = (other / "index.html").read_text()
        self.assertEqual(Page(text).faults, [])
        self.assertNotIn("<script", text)
        self.text("pages", other)
        self.assertNotIn("Questions", (other / "index.html").read_text())

    def test_folder_that_cannot_be(self):
        self.assertIn("policy.conf", self.fault(1, "pages", self.policy / "x"))
        self.fault(2, "pages")
        self.fault(2, "pages", "a", "b")
