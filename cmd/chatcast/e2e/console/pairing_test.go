package console

import (
	"bytes"
	"context"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/boombuler/barcode/qr"
	"github.com/chromedp/chromedp/kb"
	"go.mau.fi/whatsmeow"

	"chatcast/channels/testwait"
	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm/whatsapp/whatsapptest"
)

// pairing is a user at the console, a phone, and a customer.
type pairing struct {
	*consoleTab
	*e2e.Phones
	owner *e2e.Client
}

// TestConsolePairing pairs a line in the console, receives a customer's picture, answers
// it, reads the reason of a failure, logs the account out and pairs it again. The
// pictures are kept with -artifacts.
func TestConsolePairing(t *testing.T) {
	cfg := e2e.Config(t)
	w := e2e.StartPhones(t, &cfg)
	p := e2e.Start(t, cfg)
	s := &pairing{openConsole(t, p.Base, desktop), w, p.SignIn(t)}
	s.signIn(e2e.OwnerEmail, e2e.OwnerPassword)
	s.live()
	s.click("link", "Send")
	s.find("button", "Write as this customer") // the line may become a bridge
	s.stands("not_set_up")
	s.untilText("Pair a phone to talk with real customers")
	s.onAllScreens("pair-choice")
	s.pairsByQR()
	s.talks()
	s.seesEveryKind()
	s.seesAFailure()
	s.seesTheRisk()
	s.changesTheSettings()
	s.losesTheSession()
	s.leaves()
	s.pairsByCode()
	s.faultless("503", "409")
	s.askedOnly()
	if u := w.Unhandled(); len(u) > 0 {
		t.Errorf("the stand-in was asked for what it does not know: %q", u)
	}
}

// soon returns a context with a deadline.
func (s *pairing) soon() context.Context {
	ctx, cancel := context.WithTimeout(s.T.Context(), testwait.Long)
	s.T.Cleanup(cancel)
	return ctx
}

// stands waits until the page shows the state of the line.
func (s *pairing) stands(state string) {
	s.T.Helper()
	s.until("the line to be "+state, `document.querySelector('.stand[data-state='+`+quote(quote(state))+`+']')`)
}

const qrShown = `document.querySelector('[data-test="qr"]')?.naturalWidth > 0`

func (s *pairing) pairsByQR() {
	s.click("button", "Pair this line")
	s.until("a QR code", qrShown)
	s.untilText("Linked devices")
	s.untilText("The next code comes in")
	s.onAllScreens("pair-qr")
	s.owner.Eventually("the page shows the code of the pairing", func() bool { return s.shows(s.owner.PairingCode()) }) // there is another one each 20 s

	s.click("button", "Phone code")
	s.find("button", "Get a code")
	s.onAllScreens("pair-number")
	s.fill("textbox", "Phone number, with country code", "12")
	s.press(kb.Enter)
	s.untilText("5 to 15 digits")
	s.fill("textbox", "Phone number, with country code", "+7 999 000-11-22")
	s.click("button", "Get a code")
	s.until("a code", `/^[A-Z0-9]{4}-[A-Z0-9]{4}$/.test(document.querySelector('[data-test="pair-code"]').innerText)`)
	s.onAllScreens("pair-code")

	s.click("button", "QR code") // after all
	s.until("a QR code", qrShown)
	if _, err := s.Shop.ScanQR(s.soon(), s.owner.PairingCode()); err != nil {
		s.T.Fatal(err)
	}
	s.stands("connected")
	s.until("the sheet to be closed", `!document.querySelector('dialog')`)
	s.untilText("Connected · +7 999 000-11-22")
	s.untilText("Write to its number from another phone")
	if s.look("button", "Write as this customer") != 0 {
		s.T.Error("on a line with an account one can write as a customer")
	}
	s.onAllScreens("paired-empty")
}

// shows compares the picture on the page with the code of the text, dot by dot.
func (s *pairing) shows(text string) bool {
	s.T.Helper()
	address := e2e.Evaluate[string](s.Tab, `(() => {
		const shown = document.querySelector('[data-test="qr"]'), copy = document.createElement('canvas');
		copy.width = shown.naturalWidth; copy.height = shown.naturalHeight;
		copy.getContext('2d').drawImage(shown, 0, 0);
		return copy.toDataURL('image/png');
	})()`)
	_, encoded, _ := strings.Cut(address, ",")
	file, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		s.T.Fatal(err)
	}
	shown, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		s.T.Fatal(err)
	}
	code, err := qr.Encode(text, qr.L, qr.Auto)
	if err != nil {
		s.T.Fatal(err)
	}
	const quiet = 4 // dots around it
	dots := code.Bounds().Dx()
	size := shown.Bounds().Dx() / (dots + 2*quiet)
	for y := range dots {
		for x := range dots {
			want, _, _, _ := code.At(x, y).RGBA()
			got, _, _, _ := shown.At((x+quiet)*size+size/2, (y+quiet)*size+size/2).RGBA()
			if want != got {
				return false
			}
		}
	}
	return true
}

// photo returns a picture that resembles a photo.
func photo(width, height int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, color.RGBA{uint8(80 + 120*x/width), uint8(140 + 90*y/height), uint8(200 - 120*x/width), 255})
		}
	}
	var out bytes.Buffer
	_ = png.Encode(&out, img) // into memory, of a size that PNG has
	return out.Bytes()
}

const lastMessage = `[...document.querySelectorAll('[data-message]')].at(-1)`

func (s *pairing) talks() {
	s.Anna.Send(s.Shop, s.Upload(photo(480, 320), whatsmeow.MediaImage).Image("Is this the tea you have?", "image/png"))
	s.click("link", "…Anna…")
	s.until("the picture", `document.querySelector('.bubble img')?.naturalWidth === 480`)
	s.untilText("customers write from their own phones")
	if s.look("button", "Customer (sandbox)") != 0 || s.look("button", "New customer") != 0 {
		s.T.Error("on a line with an account one can write as a customer")
	}
	s.fill("textbox", "Answer Anna", "Yes, the green one. 4.50 for 100 g.")
	s.press(kb.Enter)
	got, err := s.Anna.AwaitText(s.soon(), "Yes, the green one. 4.50 for 100 g.")
	if err != nil {
		s.T.Fatal(err)
	}
	s.until("that it was delivered", lastMessage+`.querySelector('[data-status="delivered"]')`)
	if e2e.Evaluate[bool](s.Tab, `document.body.innerText.includes('Report as the bridge')`) {
		s.T.Error("what became of a message can be said by a person, on a line that WhatsApp tells of")
	}
	s.Anna.Read(s.Shop, got.ID)
	s.until("that it was read", lastMessage+`.querySelector('[data-status="viewed"]')`)
	s.Anna.Send(s.Shop, whatsapptest.Reaction(s.Anna.KeyOf(s.Shop, got.ID, false), "👍"))
	s.until("the reaction", lastMessage+`.querySelector('.reactions')`)
	s.onAllScreens("paired-chat")
}

func (s *pairing) seesEveryKind() {
	s.Anna.Send(s.Shop, s.Upload([]byte("OggS voice"), whatsmeow.MediaAudio).Audio("audio/ogg; codecs=opus", true))
	s.until("a player", `document.querySelector('.bubble audio[controls]')`)
	broken := s.Upload([]byte("the price list"), whatsmeow.MediaDocument)
	s.Break(broken, whatsapptest.FileFault{Status: 503})
	s.Anna.Send(s.Shop, broken.Document("prices.pdf", "application/pdf", ""))
	s.until("a file that is not there", `document.querySelector('.absent[data-file]').innerText.includes('prices.pdf')`)
	s.Anna.Send(s.Shop, whatsapptest.Cards("Ben", "4915123456789", "Cem", "905321234567"))
	s.untilText("Cem")
	s.Anna.Send(s.Shop, whatsapptest.LiveLocation(52.52, 13.405))
	s.untilText("Live location")
	s.Anna.Call(s.Shop, true)
	s.untilText("Called with video")
	id := s.Anna.SendText(s.Shop, "I take to of them")
	s.untilText("I take to of them")
	s.Anna.Send(s.Shop, whatsapptest.Edit(s.Anna.KeyOf(s.Shop, id, true), whatsapptest.Text("I take two of them")))
	s.untilText("I take two of them")
	s.untilText("edited")
	gone := s.Anna.SendText(s.Shop, "wrong chat")
	s.untilText("wrong chat")
	s.Anna.Send(s.Shop, whatsapptest.Revoke(s.Anna.KeyOf(s.Shop, gone, true)))
	s.untilText("This message was deleted")

	var poll struct{ ID string }
	s.owner.Must("POST", e2e.WhatsAppPath+"/chats/79995554433/messages/poll", map[string]any{"question": "When do you come?", "options": []string{"Today", "Tomorrow"}}, &poll)
	s.untilText("When do you come?")
	if _, err := s.Anna.AwaitID(s.soon(), poll.ID); err != nil {
		s.T.Fatal(err)
	}
	if _, err := s.Anna.Vote(s.Shop, poll.ID, "Tomorrow"); err != nil {
		s.T.Fatal(err)
	}
	s.until("the vote", `document.querySelector('.contentcard li .chip').innerText === 'Anna'`)
	s.onAllScreens("paired-kinds")
}

func (s *pairing) seesAFailure() {
	s.Shop.FailSends(463, 1)
	s.fill("textbox", "Answer Anna", "Shall I put it aside for you?")
	s.press(kb.Enter)
	s.untilText("WhatsApp does not let the account write to new people for now")
	s.onAllScreens("paired-failed")
}

// seesTheRisk checks that the rating of the line is shown with its reasons, as it changes.
func (s *pairing) seesTheRisk() {
	s.Shop.Lock(time.Now().Add(time.Hour))
	s.until("the rating", `document.querySelector('.risk[data-rating="stop"][data-restricted]')`)
	s.untilText("First messages to new people wait until")
	s.untilText("Answers go out as usual.")
	e2e.Evaluate[bool](s.Tab, `document.querySelector(".risk summary").click() ?? true`)
	s.untilText("Unlinking the phone does not help")
	e2e.Evaluate[string](s.Tab, `location.hash = '#/send/1229/grWhatsApp'`) // where phones show the line
	s.untilText("Choose a chat")
	s.onAllScreens("paired-risk")
	s.click("link", "…Anna…")
	s.Shop.Lock(time.Time{})
	s.until("the better rating", `document.querySelector('.risk[data-rating="careful"]')`)
	s.untilText("The account was locked for new people in the last 7 days.")
	s.untilText("write only to people who wrote to you first")
}

func (s *pairing) losesTheSession() {
	s.Shop.Replace()
	s.stands("replaced")
	s.until("a word on it where one writes", `document.querySelector('[data-test="line-down"]').innerText.includes('Nothing can be sent')`)
	s.onAllScreens("paired-replaced")
	s.click("button", "Connect again")
	s.stands("connected")
}

// leaves unlinks the phone. Nothing on the page is called like the sign-out of the user's
// own account, and the phone is named before it is unlinked.
func (s *pairing) leaves() {
	if s.look("button", "Log out")+s.look("button", "Sign out") != 0 {
		s.T.Error("something beside the line looks like a way to sign out")
	}
	s.click("button", "Settings of this line")
	s.find("dialog", "Line: [WEB] WhatsApp · My license")
	s.onAllScreens("pair-manage")
	s.click("button", "Unlink the phone…")
	s.find("dialog", "Unlink +7 999 000-11-22 from this line?")
	s.until("the safe answer to have the focus", `document.activeElement.innerText === 'Keep it linked'`)
	s.onAllScreens("pair-unlink")
	s.press(kb.Enter)
	s.until("the sheet to be closed", `!document.querySelector('dialog')`)
	s.stands("connected")
	s.click("button", "Settings of this line")
	s.click("button", "Unlink the phone…")
	s.click("button", "Yes, unlink it")
	s.stands("logged_out")
	s.onAllScreens("paired-unlinked")
	if n := s.Shop.Devices(); n != 0 {
		s.T.Errorf("%d devices are linked", n)
	}
}

func (s *pairing) pairsByCode() {
	s.click("button", "Pair again")
	s.until("a QR code", qrShown)
	s.click("button", "Phone code")
	s.fill("textbox", "Phone number, with country code", "79990001122")
	s.press(kb.Enter)
	s.until("a code", `document.querySelector('[data-test="pair-code"]').innerText.length === 9`)
	if _, err := s.Shop.EnterCode(s.soon(), e2e.Evaluate[string](s.Tab, `document.querySelector('[data-test="pair-code"]').innerText`)); err != nil {
		s.T.Fatal(err)
	}
	s.stands("connected")
	s.until("the chats", `!document.querySelector('dialog') && location.hash === '#/send/1229/grWhatsApp'`)
}
