package docs

import (
	"html/template"
	"regexp"
	"strings"
)

// prose makes HTML of what descriptions are written in: paragraphs, lists of "- ",
// `code`, **bold** and [links](/to). Everything else is text.
func (b *builder) prose(text string) template.HTML {
	var out strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		lines := strings.Split(strings.TrimSpace(block), "\n")
		switch {
		case lines[0] == "":
		case strings.HasPrefix(lines[0], "- "):
			out.WriteString("<ul>")
			for _, item := range items(lines) {
				out.WriteString("<li>" + b.inline(item) + "</li>")
			}
			out.WriteString("</ul>")
		default:
			out.WriteString("<p>" + b.inline(strings.Join(lines, " ")) + "</p>")
		}
	}
	return template.HTML(out.String()) // inline has escaped it
}

// note is prose of one line, without a paragraph around it.
func (b *builder) note(text string) template.HTML {
	return template.HTML(b.inline(strings.Join(strings.Fields(text), " "))) // inline has escaped it
}

// items joins the lines of a list that go on with the one before.
func items(lines []string) (list []string) {
	for _, line := range lines {
		if rest, begins := strings.CutPrefix(line, "- "); begins {
			list = append(list, rest)
		} else {
			list[len(list)-1] += " " + strings.TrimSpace(line)
		}
	}
	return list
}

var (
	bold = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	link = regexp.MustCompile(`\[([^\]]+)\]\(((?:https?://|/|#)[^)\s]*)\)`)
)

// inline escapes a line first, so that only its own marks become HTML.
func (b *builder) inline(line string) string {
	parts := strings.Split(template.HTMLEscapeString(line), "`")
	for i, part := range parts {
		if i%2 == 1 && i < len(parts)-1 { // between two backticks
			parts[i] = b.code(part)
			continue
		}
		if i%2 == 1 { // a backtick without its other half
			part = "`" + part
		}
		part = bold.ReplaceAllString(part, "<strong>$1</strong>")
		parts[i] = link.ReplaceAllString(part, `<a href="$2">$1</a>`)
	}
	return strings.Join(parts, "")
}

// code is code, and a link when it names an operation or a file of this server.
func (b *builder) code(escaped string) string {
	to := b.places[escaped]
	if to == "" {
		return "<code>" + escaped + "</code>"
	}
	return `<a href="` + to + `"><code>` + escaped + "</code></a>"
}
