package evolution_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"chatcast/crm"
	"chatcast/crm/crmtest"
)

// proxied is a messenger whose accounts may have a proxy. It knows one that leads to it.
type proxied struct {
	*crmtest.Connector
	tried []string
}

var (
	_ crm.Configured  = (*proxied)(nil)
	_ crm.ProxyTester = (*proxied)(nil)
)

func (*proxied) Configure(crm.Line) {}

func (p *proxied) TryProxy(_ context.Context, proxy string) error {
	p.tried = append(p.tried, proxy)
	if strings.Contains(proxy, "@good.example:") {
		return nil
	}
	return errors.New("connection refused by 10.0.0.7")
}

// TestProxyOfAnAccount sets, finds and takes away the proxy of an account. Tries are bounded for each
// company: what they answer tells of the address.
func TestProxyOfAnAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := &proxied{Connector: w.Connect("grWhatsApp")}
		w.Messengers["grWhatsApp"] = p
		const set, find = "POST /proxy/set/shop", "GET /proxy/find/shop"
		none := `{"status":404,"error":"Not Found","response":{"message":["Proxy not found"]}}`
		w.want(w.line, find, "", 404, none)
		w.want(w.line, set, `{"enabled":true,"host":"good.example","port":"3128","protocol":"http","username":"me","password":"secret"}`, 201,
			`{"proxy":{"instanceName":"shop","proxy":{"enabled":true,"host":"good.example","port":"3128","protocol":"http","username":"me","password":null}}}`)
		w.want(w.line, find, "", 200, `{"enabled":true,"host":"good.example","port":"3128","protocol":"http","username":"me","password":null}`)
		if len(p.tried) != 1 || p.tried[0] != "http://me:secret@good.example:3128" {
			t.Fatalf("tried are %q", p.tried)
		}
		w.want(w.line, set, `{"enabled":false}`, 201, `{"proxy":{"instanceName":"shop","proxy":{"enabled":false,"host":"","port":"","protocol":"","username":null,"password":null}}}`)
		w.want(w.line, find, "", 404, none)

		scan := func(port int) string {
			return fmt.Sprintf(`{"enabled":true,"host":"203.0.113.9","port":"%d","protocol":"socks5"}`, port)
		}
		reader := w.key(w.Owner, crm.KeyInput{Name: "reader", Rights: []string{crm.KeyRead, crm.KeySend}})
		for port := range 20 { // who may not manage the line tries nothing, and uses nothing up
			w.want(reader, set, scan(port), 403, `{"status":403,"error":"Forbidden","response":{"message":["this key does not have the right manage"]}}`)
		}
		for port := range 9 {
			w.want(w.line, set, scan(port+1), 400, badText("Invalid proxy"))
		}
		const limited = `{"status":429,"error":"Too Many Requests","response":{"message":["rate limit"]}}`
		w.want(w.line, set, scan(10), 429, limited)
		w.want(w.company, "POST /instance/create", `{"instanceName":"new","proxyHost":"203.0.113.9","proxyPort":"1","proxyProtocol":"http"}`, 429, limited)
		if _, _, h := w.request(w.line, set, scan(11)); h.Get("Retry-After") != "60" {
			t.Errorf("the headers are %v", h)
		}
		if len(p.tried) != 10 {
			t.Errorf("%d proxies were tried", len(p.tried))
		}
		w.want(w.strange, "POST /instance/create", `{"instanceName":"new","proxyHost":"203.0.113.9","proxyPort":"1","proxyProtocol":"http"}`, 400, badText("Invalid proxy"))
		w.Clock.Advance(time.Minute)
		w.want(w.line, set, scan(12), 400, badText("Invalid proxy"))
		w.want(w.line, set, scan(13), 429, limited)
	})
}
