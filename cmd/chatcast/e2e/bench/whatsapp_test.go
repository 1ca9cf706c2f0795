package bench

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/crm/whatsapp/whatsapptest"
	"chatcast/models/testdb"
)

// benchProgram is the built program with a stand-in WhatsApp, for figures of a process
// of its own.
type benchProgram struct {
	*whatsapptest.Server
	proc     *e2e.Process
	owner    *e2e.Client
	internal string
}

func startBench(b *testing.B, database string) *benchProgram {
	b.Helper()
	phones, err := whatsapptest.Start(whatsapptest.Options{RootSeed: e2e.WhatsAppSeed})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { phones.Close() })
	internal := freeAddress(b)
	root := phones.Root()
	environ := []string{
		"CHATCAST_BOOTSTRAP_USER_PASSWORD=" + e2e.OwnerPassword, "CHATCAST_SERVER_ADDRESS=127.0.0.1:0", "CHATCAST_SERVER_INTERNAL_ADDRESS=" + internal,
		"CHATCAST_WHATSAPP_ENDPOINT=" + phones.Addr(), "CHATCAST_WHATSAPP_ROOT_KEY=" + hex.EncodeToString(root[:]), "CHATCAST_LOG_LEVEL=warn",
	}
	if database == "postgres" {
		environ = append(environ, "CHATCAST_DATABASE_URL="+testdb.EmptyPostgresURL(b))
	}
	proc := e2e.Launch(b, e2e.BuildBinary(b), b.TempDir(), environ)
	return &benchProgram{Server: phones, proc: proc, owner: (&e2e.Running{Base: proc.Base}).SignIn(b), internal: internal}
}

// pair links an account to a line.
func (p *benchProgram) pair(b *testing.B, line string, account *whatsapptest.Account) {
	b.Helper()
	var code struct{ QR string }
	p.owner.Eventually("the line can be paired", func() bool {
		status, _ := p.owner.Call("POST", line+"/connect", nil)
		return status == http.StatusOK
	})
	p.owner.Must("GET", line+"/qr", nil, &code)
	if _, err := account.ScanQR(b.Context(), code.QR); err != nil {
		b.Fatal(err)
	}
	p.owner.Eventually("the line is connected", func() bool {
		var status struct{ Connected bool }
		p.owner.Must("GET", line+"/status", nil, &status)
		return status.Connected
	})
}

// BenchmarkWhatsAppReceive measures how many messages a second go from WhatsApp through
// decryption and commit to a subscribed socket. They are encrypted beforehand. The
// figure includes that the stand-in and the socket share the machine's cores.
func BenchmarkWhatsAppReceive(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database, func(b *testing.B) {
			p := startBench(b, database)
			shop, anna := p.NewAccount("79990001122", "100200300", "Shop"), p.NewContact("79995554433", "100200301", "Anna")
			p.pair(b, e2e.WhatsAppPath, shop)
			ws := p.owner.Subscribe(e2e.LineChannel)
			await := func(part string) {
				for {
					_, frame, err := ws.ReadMessage()
					if err != nil {
						b.Fatal(err)
					}
					if strings.HasPrefix(string(frame), `{"event":"message",`) && strings.Contains(string(frame), part) {
						return
					}
				}
			}
			anna.SendText(shop, "the first makes the session;")
			await("the first makes the session;")
			shop.Hold()
			for n := range b.N {
				anna.SendText(shop, fmt.Sprint("message ", n, ";"))
			}
			b.ResetTimer()
			shop.Release(false)
			await(fmt.Sprint("message ", b.N-1, ";"))
			b.StopTimer()
			perSecond := float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(perSecond, "messages/s")
			if b.N >= 10 {
				summary = append(summary, fmt.Sprintf("%-52s %.0f messages/s (%d, one after the other)", "WhatsApp -> commit on "+database+" -> socket", perSecond, b.N))
			}
		})
	}
}

// BenchmarkWhatsAppSend measures how many messages a second go from a full outbox through
// encryption to WhatsApp, each with its outcome committed. They are queued while WhatsApp
// cannot be reached, and counted from the arrival of the first one at the customer's phone.
func BenchmarkWhatsAppSend(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database, func(b *testing.B) {
			p := startBench(b, database)
			shop, anna := p.NewAccount("79990001122", "100200300", "Shop"), p.NewContact("79995554433", "100200301", "Anna")
			p.pair(b, e2e.WhatsAppPath, shop)
			chat := e2e.WhatsAppPath + "/chats/" + anna.Number().User
			anna.SendText(shop, "Do you have tea?")
			p.owner.AwaitEvent("message", "Do you have tea?")
			p.Unavailable(true)
			shop.Drop()
			p.owner.AwaitLine("disconnected")
			ids := make([]string, b.N+1)
			for n := range ids {
				var sent struct{ ID string }
				p.owner.Must("POST", chat+"/messages/text", map[string]string{"text": fmt.Sprint("message ", n)}, &sent)
				ids[n] = sent.ID
			}
			p.Unavailable(false)
			if _, err := anna.AwaitID(b.Context(), ids[0]); err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			if _, err := anna.AwaitID(b.Context(), ids[b.N]); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			perSecond := float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(perSecond, "messages/s")
			if b.N >= 10 {
				summary = append(summary, fmt.Sprintf("%-52s %.0f messages/s (%d, one after the other)", "outbox on "+database+" -> WhatsApp", perSecond, b.N))
			}
		})
	}
}

// BenchmarkWhatsAppIdle measures the memory of a paired, idle line: how much more the
// process has with two hundred lines than with one.
func BenchmarkWhatsAppIdle(b *testing.B) {
	const lines = 200
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database, func(b *testing.B) {
			if b.N == 1 {
				return // the trial run: the figure does not depend on b.N
			}
			p := startBench(b, database)
			p.line(b, 0)
			one := memoryOf(b, p.internal)
			for n := 1; n <= lines; n++ {
				p.line(b, n)
			}
			many := memoryOf(b, p.internal)
			heap, resident := float64(many.inUse()-one.inUse())/lines/1024, float64(many.resident-one.resident)/lines/1024
			b.ReportMetric(heap, "heap-KiB/line")
			b.ReportMetric(resident, "resident-KiB/line")
			summary = append(summary, fmt.Sprintf("%-52s %.0f KiB of heap and stacks, %.0f KiB resident (%d lines; the process with one: %d MiB)",
				"a paired, idle line on "+database, heap, resident, lines, one.resident>>20))
		})
	}
}

// line creates a licence with a line, and pairs the line.
func (p *benchProgram) line(b *testing.B, n int) {
	b.Helper()
	var made struct{ LicenseID int64 }
	p.owner.Must("POST", "/v1/licenses", map[string]any{"companyId": 2224, "name": fmt.Sprint("Line ", n)}, &made)
	p.owner.Must("POST", fmt.Sprintf("/v1/licenses/%d/messengers", made.LicenseID), map[string]any{"type": "grWhatsApp"}, nil)
	account := p.NewAccount(fmt.Sprint(79991000000+n), fmt.Sprint(200000000+n), fmt.Sprint("Shop ", n))
	p.pair(b, fmt.Sprintf("/v1/licenses/%d/messengers/grWhatsApp", made.LicenseID), account)
	if err := account.AwaitSettled(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// freeAddress returns an address on which nothing serves.
func freeAddress(b *testing.B) string {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}
