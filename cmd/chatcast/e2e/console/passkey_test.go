package console

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm/whatsapp/whatsapptest"
)

// passkeyUser is a user who pairs an account that has a passkey.
type passkeyUser struct {
	*pairing
	key     *whatsapptest.Passkey
	scanned chan error // has the result of the phone's scan
}

func newPasskeyUser(t *testing.T, open func(base string) *consoleTab) *passkeyUser {
	t.Helper()
	cfg := e2e.Config(t)
	w := e2e.StartPhones(t, &cfg)
	p := e2e.Start(t, cfg)
	u := &passkeyUser{pairing: &pairing{open(p.Base), w, p.SignIn(t)}, scanned: make(chan error, 1)}
	u.signIn(e2e.OwnerEmail, e2e.OwnerPassword)
	u.live()
	u.front()
	u.click("link", "Send")
	u.find("button", "Write as this customer")
	u.stands("not_set_up")
	u.untilText("Pair a phone to talk with real customers")
	u.click("button", "Pair this line")
	return u
}

// scans has the phone scan the code, and waits until the page asks for the passkey.
func (u *passkeyUser) scans() {
	u.T.Helper()
	u.until("a QR code", qrShown)
	u.key = u.Shop.RequirePasskey(whatsapptest.PasskeyOptions{})
	code := u.owner.PairingCode()
	go func() {
		_, err := u.Shop.ScanQR(u.soon(), code)
		u.scanned <- err
	}()
	u.find("dialog", "WhatsApp asks for the passkey")
	u.until("what to sign", `document.querySelector('[data-test="passkey"][data-step="sign"]')`)
}

// connected waits until the account is paired.
func (u *passkeyUser) connected() {
	u.T.Helper()
	if err := <-u.scanned; err != nil {
		u.T.Fatal(err)
	}
	u.stands("connected")
	u.until("the sheet to be closed", `!document.querySelector('dialog')`)
}

// challenge returns what the passkey has to sign.
func (u *passkeyUser) challenge() string {
	u.T.Helper()
	var shown struct {
		Passkey struct{ Options struct{ Challenge string } }
	}
	u.owner.Must("POST", e2e.WhatsAppPath+"/connect", nil, &shown)
	return shown.Passkey.Options.Challenge
}

// TestConsolePasskeyByHand pairs an account with a passkey in a browser without the
// extension: it cancels, begins again, pastes what is no answer, and then the answer.
func TestConsolePasskeyByHand(t *testing.T) {
	u := newPasskeyUser(t, func(base string) *consoleTab { return openConsole(t, base, desktop) })
	u.scans()
	u.stands("passkey")
	u.untilText("Get the extension")
	u.untilText("Copy the script")
	u.onAllScreens("passkey")
	u.click("button", "Cancel the pairing")
	u.untilText("The pairing was cancelled")
	if err := <-u.scanned; err == nil {
		t.Error("the account is linked")
	}
	u.stands("not_set_up")
	u.click("button", "Show a new code")
	u.scans()
	box := "Confirm with the passkey, and paste the line that is printed"
	u.fill("textbox", box, "undefined")
	u.click("button", "Send the answer")
	u.untilText("This is not what the script prints")
	u.fill("textbox", box, string(u.key.Sign(whatsapptest.Signing{Challenge: u.challenge(), Origin: u.base})))
	u.click("button", "Send the answer")
	u.untilText("the passkey was used on another page")
	u.onAllScreens("passkey-refused")
	u.fill("textbox", box, string(u.key.Sign(whatsapptest.Signing{Challenge: u.challenge()})))
	u.click("button", "Send the answer")
	u.connected()
	u.faultless("409", "422", "503")
	u.askedOnly()
}

// TestPasskeyExtension pairs an account with a passkey by the extension that the server
// offers, in a browser whose authenticator has the passkey. WhatsApp's page is a page of
// the test's own under WhatsApp's name, whose scripts try to take part. Other scripts on
// the server's pages try to have something signed, and to see what was.
func TestPasskeyExtension(t *testing.T) {
	page := newWhatsAppPage(t)
	u := newPasskeyUser(t, func(base string) *consoleTab {
		folder := unpackExtension(t, base)
		tab := e2e.OpenBrowser(t, "about:blank", append(page.options(),
			chromedp.Flag("load-extension", folder), chromedp.Flag("disable-extensions-except", folder),
			chromedp.Flag("disable-features", "DisableLoadExtensionCommandLineSwitch"))...)
		return openConsoleIn(tab, base, desktop)
	})
	u.scans()
	u.onAllScreens("passkey-extension")
	before := len(u.pages())
	u.meetsScripts()
	u.listens()

	confirm := u.opens(func() { u.click("button", "Use the passkey") })
	confirm.untilText(e2e.OwnerEmail)
	confirm.untilText("[WEB] WhatsApp · My license")
	confirm.untilText(u.base + "/")
	confirm.accessible("passkey-confirm")
	confirm.Picture("passkey-confirm")
	e2e.Evaluate[any](confirm.Tab, `document.getElementById('use').click()`) // nobody did
	if why := u.asks(true, "none"); why != "busy" {
		t.Errorf("a second question at the same time: %q", why)
	}
	if n := len(u.pages()); n != before+1 {
		t.Errorf("%d pages are open, want %d: what nobody clicked has opened some", n, before+1)
	}
	u.asksOnce(confirm)
	confirm.front()
	confirm.click("button", "Cancel")
	u.untilText("The passkey was not used")
	u.asksTogether()
	u.front()

	confirm = u.opens(func() { u.click("button", "Use the passkey") })
	confirm.Do(chromedp.Navigate(u.base + "/docs")) // the person leads the extension's page elsewhere
	u.untilText("The passkey was not used")
	confirm.Close()

	confirm = u.opens(func() { u.click("button", "Use the passkey") })
	opened := confirm.opens(func() { confirm.click("button", "Use the passkey") })
	opened.Close() // the person closes WhatsApp's page
	u.untilText("The passkey was not used")

	confirm = u.opens(func() { u.click("button", "Use the passkey") })
	opened = confirm.opens(func() { confirm.click("button", "Use the passkey") })
	opened.holds(u.key)
	page.load()
	u.connected()
	u.owner.Eventually("the extension's and WhatsApp's pages to be closed", func() bool { return len(u.pages()) == before })
	u.front()
	if heard := e2e.Evaluate[string](u.Tab, `JSON.stringify(window.heard)`); !strings.Contains(heard, `"used"`) || strings.Contains(heard, "signature") || strings.Contains(heard, "clientDataJSON") {
		t.Errorf("the page heard of the passkey: %s", heard)
	}
	if seen := page.seen(); len(seen) == 0 || slices.Contains(seen, "used") {
		t.Errorf("the scripts of WhatsApp's page saw: %q", seen)
	}
	u.faultless("409", "503")
}

// addCredential is webauthn.AddCredential without the fields that are not set: Chromium
// refuses some of them for authenticators that do not have what they are about.
var addCredential = cdp.Command[map[string]any, cdp.Empty]{Method: webauthn.CommandAddCredential}

// holds gives the tab's authenticator the passkey. The person is always there.
func (d *consoleTab) holds(k *whatsapptest.Passkey) {
	d.T.Helper()
	d.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		made, err := cdp.Call(ctx, target, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true,
			IsUserVerified: true, AutomaticPresenceSimulation: true,
		}})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, target, addCredential, map[string]any{"authenticatorId": made.AuthenticatorID, "credential": map[string]any{
			"credentialId": k.ID, "isResidentCredential": true, "rpId": "whatsapp.com", "privateKey": k.PrivateKey(), "userHandle": k.UserHandle, "signCount": 1,
		}})
		return err
	}))
}

// unpackExtension gets the extension from the server and unpacks it, as people do. It may
// run on the console's page of that server, and reach its API and WhatsApp's page.
func unpackExtension(t *testing.T, base string) string {
	t.Helper()
	status, packed := e2e.Get(t, base+"/passkey-extension.zip")
	if status != http.StatusOK {
		t.Fatalf("the extension is answered with %d", status)
	}
	files, err := zip.NewReader(strings.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "chatcast-passkey")
	manifest, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var allowed struct {
		Permissions []string
		Hosts       []string                     `json:"host_permissions"`
		Scripts     []struct{ Matches []string } `json:"content_scripts"`
	}
	if err := json.Unmarshal(manifest, &allowed); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(allowed.Hosts, []string{"https://web.whatsapp.com/*", base + "/v1/*"}) || len(allowed.Permissions) != 1 || len(allowed.Scripts) != 1 ||
		!slices.Equal(allowed.Scripts[0].Matches, []string{base + "/"}) || bytes.Contains(manifest, []byte("optional")) {
		t.Errorf("the extension is allowed too much, or too little: %s", manifest)
	}
	return folder
}
