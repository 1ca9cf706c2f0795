package apps_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"chatcast/broadcasting/apps"
	"chatcast/channels"
)

// go test ./broadcasting/apps -update writes what is generated from the table.
var update = flag.Bool("update", false, "write the generated documentation")

// fold returns text as comment lines.
func fold(indent, text string) string {
	var out strings.Builder
	line := indent + "#"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > 88 {
			out.WriteString(line + "\n")
			line = indent + "#"
		}
		line += " " + word
	}
	return out.String() + line + "\n"
}

// common returns the part of config.example.yaml about the common limits of all apps.
func common() string {
	var out strings.Builder
	for _, limit := range apps.Table() {
		text := fmt.Sprintf("%s From %d to %d %s.", limit.Sentence, limit.Min, limit.Max, limit.Unit)
		if limit.Min == 0 {
			text = fmt.Sprintf("%s Up to %d %s; 0 is no limit.", limit.Sentence, limit.Max, limit.Unit)
		}
		out.WriteString(fold("  ", text))
		fmt.Fprintf(&out, "  %s: %d\n", limit.Common, limit.Default)
	}
	return out.String()
}

// own returns the part of config.example.yaml about the limits of one app.
func own() string {
	var out strings.Builder
	for _, limit := range apps.Table() {
		fmt.Fprintf(&out, "      %s: 0\n", limit.Name)
	}
	return out.String()
}

// page returns docs/limits.md.
func page() string {
	var out strings.Builder
	out.WriteString(`# Limits of apps

Each limit can be set for all apps, under ` + "`limits`" + ` in the configuration file, and for one
app: under its ` + "`limits`" + ` in the file, or with ` + "`PATCH /v1/apps/ID {\"limits\":{...}}`" + `. An app's own
limit of 0 is the limit of all apps. What is over a limit gets an answer that says so.

This page is generated from the table in ` + "`broadcasting/apps/limits.go`" + `, with
` + "`go test ./broadcasting/apps -update`" + `.

| of one app | of all apps | default | range | what is limited |
|---|---|---|---|---|
`)
	for _, limit := range apps.Table() {
		value := fmt.Sprintf("%d %s", limit.Default, limit.Unit)
		if limit.Default == 0 {
			value = "no limit"
		}
		fmt.Fprintf(&out, "| `%s` | `limits.%s` | %s | %d to %d | %s |\n", limit.Name, limit.Common, value, limit.Min, limit.Max, limit.Sentence)
	}
	return out.String()
}

// example returns limits as openapi.yaml shows them.
func example() string {
	var fields []string
	for i, limit := range apps.Table() {
		fields = append(fields, fmt.Sprintf("%q: %d", limit.Name, max(0, 500-500*i)))
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

// schema returns the schema AppLimits of openapi.yaml, without its description.
func schema() string {
	var names []string
	var properties strings.Builder
	for _, limit := range apps.Table() {
		names = append(names, limit.Name)
		fmt.Fprintf(&properties, "        %s: {type: integer, minimum: 0, maximum: %d, description: %q}\n",
			limit.Name, limit.Max, strings.TrimSuffix(limit.Sentence, "."))
	}
	return "      example: " + example() + "\n      additionalProperties: false\n      required: [" +
		strings.Join(names, ", ") + "]\n      properties:\n" + properties.String()
}

// is compares a file with its expected content, or writes it with -update.
func is(t *testing.T, file string, change func(have string) (want string)) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	have := string(text)
	want := change(have)
	switch {
	case have == want:
	case *update:
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		a, b := strings.Split(have, "\n"), strings.Split(want, "\n")
		i := 0
		for i < min(len(a), len(b))-1 && a[i] == b[i] {
			i++
		}
		t.Errorf("%s:%d is\n%s\nthe table says\n%s\ngo test ./broadcasting/apps -update writes it", file, i+1, a[i], b[i])
	}
}

// between returns have with text between begin and end, which must occur once.
func between(t *testing.T, have, begin, end, text string) string {
	t.Helper()
	head, rest, found := strings.Cut(have, begin)
	_, tail, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("there is no part from %q to %q", begin, end)
	}
	return head + begin + text + end + tail
}

// The example configuration, the API reference and the limits page match the table.
func TestDocumentationIsOfTheTable(t *testing.T) {
	is(t, "../../config.example.yaml", func(have string) string {
		have = between(t, have, "    # The app's own limits. 0: the value in limits below.\n    limits:\n", "\nwebhooks:\n", own())
		return between(t, have, "  # For all apps that have no limit of their own:\n", "  # The server's:\n", common())
	})
	is(t, "../../server/api/openapi.yaml", func(have string) string {
		have = regexp.MustCompile(`"limits": \{"sockets": 500, [^}]*\}`).ReplaceAllString(have, `"limits": `+example())
		return between(t, have, "      description: \"Named as in the configuration file. 0 is the server's limit\"\n", "    AppWebhook:\n", schema())
	})
	is(t, "../../docs/limits.md", func(string) string { return page() })
}

// Documents that list the webhook events list all of them, and no others.
func TestDocumentationNamesEveryEvent(t *testing.T) {
	is(t, "../../server/api/openapi.yaml", func(have string) string {
		return between(t, have, "    AppWebhookEvent: {enum: [", "]}\n", strings.Join(apps.WebhookEvents(), ", "))
	})
	text, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(text), "#     events: [")
	part, _, _ = strings.Cut(part, "#     channels:")
	names := regexp.MustCompile(`[a-z]+_[a-z]+`).FindAllString(part, -1)
	slices.Sort(names)
	if want := slices.Sorted(slices.Values(apps.WebhookEvents())); !slices.Equal(names, want) {
		t.Errorf("config.example.yaml lists %v, there are %v", names, want)
	}
}

// The bounds in the API reference are those of the check.
func TestReferenceTellsTheBounds(t *testing.T) {
	text, err := os.ReadFile("../../server/api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`AppName: {type: string, pattern: "^[A-Za-z0-9_-]{1,64}$"}`,
		fmt.Sprintf("name: {type: string, maxLength: %d}\n        enabled:", apps.MaxName),
		fmt.Sprintf("webhooks: {type: array, maxItems: %d, items: {$ref: \"#/components/schemas/AppWebhookInput\"}", apps.MaxWebhooks),
		fmt.Sprintf("url: {type: string, maxLength: %d, description: \"http or https", apps.MaxWebhookURL),
		fmt.Sprintf("maxItems: %d\n          description: \"Beginnings of channels' names; empty: all\"\n          items: {type: string, minLength: 1, maxLength: %d}", apps.MaxWebhookChannels, channels.MaxLength),
		fmt.Sprintf("maxProperties: %d\n          additionalProperties: {type: string}\n          description: \"To send along. The value", apps.MaxWebhookHeaders),
	} {
		if !strings.Contains(string(text), line) {
			t.Errorf("openapi.yaml does not say %s", line)
		}
	}
}
