package console

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"chatcast/cmd/chatcast/e2e"
)

// screens are the devices that the console is tested on.
var screens = []screen{
	{"desktop", 1280, 800, "light"}, {"desktop", 1280, 800, "dark"},
	{"phone", 390, 844, "light"}, {"phone", 390, 844, "dark"},
}

// The customers of the story.
var anna, daniel, amina = person{"Anna Petrova", "79990001122"}, person{"Daniel Weiss", "4915123456789"}, person{"Amina Yusuf", "2348035550142"}

type person struct{ name, phone string }

// writes posts a text as the bridge of a messenger does.
func (p person) writes(c *e2e.Client, id, text string) { p.writesOn(c, e2e.WhatsAppPath, id, text) }

func (p person) writesOn(c *e2e.Client, line, id, text string) {
	c.T.Helper()
	c.Must("POST", line+"/inbound", map[string]any{"messages": []any{map[string]any{
		"id": id, "chat": map[string]any{"id": p.phone, "phone": p.phone, "name": p.name}, "type": "text", "message": map[string]any{"text": text},
		"fromUser": map[string]any{"id": p.phone, "name": p.name, "phone": p.phone}, "time": time.Now().Unix(),
	}}}, nil)
}

// TestConsoleStory signs in, sees a message arrive, answers it, tags the chat, loses the
// connection and regains it, on a desktop and on a phone. Each page is checked in light
// and in dark. The pictures are kept with -artifacts.
func TestConsoleStory(t *testing.T) {
	for _, on := range []screen{desktop, phone} {
		t.Run(on.name, func(t *testing.T) {
			p := e2e.Start(t, e2e.Config(t))
			owner := p.SignIn(t)
			bea, _ := owner.Hire(p)
			owner.Must("PATCH", "/v1/me", map[string]any{"name": "Olga Marin"}, nil)
			owner.Must("POST", "/v1/tags", map[string]any{"name": "VIP", "color": "#0a6e54"}, nil)
			line := e2e.LayCable(t, p.Address())
			s := &story{consoleTab: openConsole(t, line.Base(), on), on: on, owner: owner, bea: bea, line: line}
			s.comesIn()
			s.seesAMessage()
			s.answersIt()
			s.tagsTheChat()
			s.losesTheConnection()
			if on == desktop {
				s.sitsForAPicture()
			}
			s.looksAround()
			s.isAwayInDark()
			s.changesTheColours()
			s.faultless("ERR_", "WebSocket")
			s.askedOnly()
		})
	}
}

// story is one run of TestConsoleStory.
type story struct {
	*consoleTab
	on         screen
	owner, bea *e2e.Client
	line       *e2e.Cable
}

// page checks the page when it is at rest, in dark and then in light.
func (s *story) page(name string) {
	s.T.Helper()
	for _, scheme := range []string{"dark", "light"} {
		s.prefer(scheme)
		s.check(name)
	}
}

// prefer sets the scheme that the system prefers.
func (s *story) prefer(scheme string) {
	s.T.Helper()
	s.on.scheme = scheme
	s.Do(e2e.Prefers(scheme))
}

// check takes a picture of the page as it is, and checks it with axe.
func (s *story) check(name string) {
	s.T.Helper()
	s.Picture(fmt.Sprintf("%s-%s-%s", s.on.name, s.on.scheme, name))
	s.accessible(name, s.on.rules()...)
	s.fitsTheScreen(name)
}

func (s *story) comesIn() {
	s.find("button", "Sign in")
	s.page("1-sign-in")
	s.enter()
	s.until("what an empty page teaches", `document.querySelector('[data-test="empty"]')`)
	s.weight()
	s.page("2-live-empty")
}

func (s *story) seesAMessage() {
	anna.writes(s.owner, "anna-1", "Hello! Is my order ready?")
	s.said("", "Anna Petrova: Hello! Is my order ready?")
	daniel.writes(s.owner, "daniel-1", "Good morning, do you ship to Berlin?")
	var sent struct{ ID any }
	s.bea.Must("POST", e2e.WhatsAppPath+"/chats/"+daniel.phone+"/messages/text", map[string]any{"text": "Yes, within three days."}, &sent)
	s.said("", "Bea → Daniel Weiss: Yes, within three days.")
	s.owner.Must("POST", e2e.WhatsAppPath+"/inbound", map[string]any{"statuses": []any{map[string]any{
		"id": sent.ID, "chat": map[string]any{"id": daniel.phone}, "type": "viewed", "time": time.Now().Unix(),
	}}}, nil)
	s.said("", "The message to Daniel Weiss was read")
	person{"Lucía Romero", "34612345678"}.writesOn(s.owner, e2e.TelegramPath, "lucia-1", "¡Hola! Can I pay by card?")
	s.said("", "Lucía Romero: ¡Hola!")
	s.bea.Must("PUT", e2e.WhatsAppPath+"/chats/"+daniel.phone+"/responsible", map[string]any{"id": 685}, nil)
	s.said("", "responsible for Daniel Weiss")
}

func (s *story) answersIt() {
	s.click("link", "Send")
	s.find("link", "…Anna Petrova…")
	s.page("3-chats")
	s.click("link", "…Anna Petrova…")
	s.until("what she wrote", `document.querySelector('[role="log"]').innerText.includes('Is my order ready?')`)
	s.fill("textbox", "Answer Anna Petrova…", "Good afternoon, Anna! It is: come by any time until six.")
	s.press(kb.Enter)
	s.until("the event of the answer", `/event message came, [\d,]+ ms/.test(document.querySelector('.composer [data-test="outcome"]').innerText)`)
	s.until("the answer among the messages", `document.querySelector('[role="log"]').innerText.includes('until six')`)
	s.until("the field to be empty", `document.querySelector('[data-test="composer"]').value === ''`)
	anna.writes(s.owner, "anna-2", "Wonderful, thank you!")
	s.until("her answer, as it comes", `document.querySelector('[role="log"]').innerText.includes('Wonderful')`)
	s.page("4-conversation")
}

func (s *story) tagsTheChat() {
	if s.on.phone() {
		s.click("link", "Facts and actions")
	}
	s.choose("Add to Tags", "VIP")
	const outcome = `document.querySelector('[data-fact="tags"] [data-test="outcome"]')`
	s.until("the event of the tag", `/event chatTag came, [\d,]+ ms/.test(`+outcome+`.innerText)`)
	s.page("5-tagged")
	s.click("link", "chatTag")
	s.until("the event in Live", `/^#\/live\/\d+$/.test(location.hash)`)
	s.until("what it says", `/Tag VIP added to Anna Petrova/.test(document.querySelector('[data-test="detail"]').innerText)`)
	s.page("6-event")
	s.click("button", "Close")
}

func (s *story) losesTheConnection() {
	s.line.Pull()
	s.until("the loss to be seen", `document.querySelector('.pill').innerText.trim() !== 'live'`)
	s.check("7-away") // in light alone: a longer outage is another story
	amina.writes(s.owner, "amina-1", "Hi, I would like to change my booking.")
	amina.writes(s.owner, "amina-2", "Is Friday free?")
	s.line.Mend()
	s.live()
	daniel.writes(s.owner, "daniel-2", "Perfect, I will take two.")
	s.said("", "I will take two")
	var came []string
	for _, line := range e2e.Evaluate[[]string](s.Tab, listed) {
		if len(came) > 0 || line == "gap" {
			came = append(came, line)
		}
	}
	want := []string{
		"gap", "missed Amina Yusuf: Hi, I would like to change my booking.", "missed Amina Yusuf opened a 24-hour window",
		"missed Amina Yusuf: Is Friday free?", "live Daniel Weiss: Perfect, I will take two.",
	}
	// Of a longer outage, on a busy machine, others are told too.
	came = slices.DeleteFunc(came, func(l string) bool {
		return slices.Contains([]string{"missed You are offline", "missed You are online", "live You are online"}, l)
	})
	if !slices.Equal(came, want) {
		s.T.Errorf("after the outage the list has %q, want %q", came, want)
	}
	s.until("the outage to be told", `/The connection was lost for .* came meanwhile/.test(document.querySelector('[data-outage]').innerText)`)
	s.page("8-back")
}

// sitsForAPicture takes the picture in README.md.
func (s *story) sitsForAPicture() {
	s.click("button", "Close") // the notice of the outage
	s.click("option", "…Tag VIP added to Anna Petrova…")
	s.until("the payload", `document.querySelector('[data-test="detail"] [role="tree"]') && !document.querySelector('[data-test="newer"]')`)
	s.Do(chromedp.EmulateViewport(s.on.width, s.on.height, chromedp.EmulateScale(2)), chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 90, 600))
	s.Picture("readme")
	s.Do(s.on.emulated())
	s.click("button", "Close")
}

func (s *story) looksAround() {
	s.click("link", "Connect")
	s.until("a snippet", `document.querySelector('[role="tabpanel"] pre').innerText.includes('new Pusher(')`)
	s.page("9-connect")
	s.click("link", "Server")
	s.until("the figures", `document.querySelector('[data-test="server"] .figures')`)
	s.page("10-server")
}

// isAwayInDark checks the page during an outage as losesTheConnection does, in dark.
func (s *story) isAwayInDark() {
	s.click("link", "Live")
	s.find("option", "…I will take two…")
	s.prefer("dark")
	s.line.Pull()
	s.until("the loss to be seen", `document.querySelector('.pill').innerText.trim() !== 'live'`)
	s.check("7-away")
	s.line.Mend()
	s.live()
}

// changesTheColours uses the page's own switch, which overrides the system's scheme.
func (s *story) changesTheColours() {
	for scheme, system := range map[string]string{"light": "dark", "dark": "light"} {
		s.prefer(system)
		s.click("button", "Account of Olga Marin")
		s.click("radio", scheme)
		s.until("the other colours", `getComputedStyle(document.documentElement).colorScheme === `+quote(scheme))
		s.check("11-account-" + scheme)
		s.press(kb.Escape)
		s.click("link", "Live")
		s.find("option", "…I will take two…")
		s.check("12-live-" + scheme)
	}
}

// choose selects an option of a select element.
func (d *consoleTab) choose(name, option string) {
	d.T.Helper()
	d.find("option", option)
	if _, err := d.at(d.find("combobox", name), `function(option) {
		this.focus();
		this.value = [...this.options].find((o) => o.text === option).value;
		this.dispatchEvent(new Event('change', {bubbles: true}));
		return null;
	}`, option); err != nil {
		d.T.Fatal(err)
	}
}
