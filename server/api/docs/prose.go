package docs

import (
	"html/template"
	"regexp"
	"strings"
)

// prose converts a description to HTML. Descriptions have paragraphs, lists of "- ",
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

// note converts prose of one line, without a paragraph around it.
func (b *builder) note(text string) template.HTML {
	return template.HTML(b.inline(strings.Join(strings.Fields(text), " "))) // inline has escaped it
}

// items returns the items of a list, each with its continuation lines joined.
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

// inline escapes a line first, so that only the marks of prose become HTML.
func (b *builder) inline(line string) string {
	parts := strings.Split(template.HTMLEscapeString(line), "`")
	for i, part := range parts {
		if i%2 == 1 && i < len(parts)-1 { // between two backticks
			parts[i] = b.code(part)
			continue
		}
		if i%2 == 1 { // an unpaired backtick
			part = "`" + part
		}
		part = bold.ReplaceAllString(part, "<strong>$1</strong>")
		parts[i] = link.ReplaceAllString(part, `<a href="$2">$1</a>`)
	}
	return strings.Join(parts, "")
}

// code marks up code, and links it if it names an operation or a file of this server.
func (b *builder) code(escaped string) string {
	to := b.places[escaped]
	if to == "" {
		return "<code>" + escaped + "</code>"
	}
	return `<a href="` + to + `"><code>` + escaped + "</code></a>"
}
