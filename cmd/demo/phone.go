package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"chatcast/crm/whatsapp/whatsapptest"
)

//go:embed phone.html
var phonePage []byte

// scanTime is the time limit for a scan: until the line is connected.
const scanTime = 30 * time.Second

// phone is the shop's simulated phone. Its page shows the code that the line shows, as a
// camera does, and scans it when somebody clicks.
type phone struct {
	owner  *client
	use    func(ctx context.Context, code string) error // lets the phone's camera use a code
	linked chan struct{}                                // closed when the line was linked for the first time

	once     sync.Once
	scanning sync.Mutex // one scan at a time
}

func newPhone(owner *client, shop *whatsapptest.Account) *phone {
	use := func(ctx context.Context, code string) error {
		_, err := shop.ScanQR(ctx, code)
		return err
	}
	return &phone{owner: owner, use: use, linked: make(chan struct{})}
}

// serve serves the phone's page on loopback until ctx ends, and returns its address.
func (p *phone) serve(ctx context.Context, running *sync.WaitGroup) (url string, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	pages := http.NewServeMux()
	pages.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(phonePage)
	})
	pages.HandleFunc("GET /code.png", p.camera)
	pages.HandleFunc("GET /state", p.state)
	pages.HandleFunc("POST /scan", func(w http.ResponseWriter, r *http.Request) { p.click(ctx, w, r) })
	srv := &http.Server{
		Handler:           http.NewCrossOriginProtection().Handler(onlyFor(ln.Addr().String(), pages)), // other pages in the browser scan nothing
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	running.Go(func() { _ = srv.Serve(ln) }) // ends when the server is closed
	running.Go(func() {
		<-ctx.Done()
		_ = srv.Close()
	})
	return "http://" + ln.Addr().String() + "/", nil
}

// onlyFor refuses requests under another name, which a page of a stranger may have made
// to lead here.
func onlyFor(host string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != host {
			http.Error(w, "this is "+host, http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// camera answers with the picture of the code that the line shows now.
func (p *phone) camera(w http.ResponseWriter, r *http.Request) {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, p.owner.base+line+"/qr?format=png", http.NoBody)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	req.Header.Set("Authorization", p.owner.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer res.Body.Close()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", res.Header.Get("Content-Type"))
	w.WriteHeader(res.StatusCode)
	_, _ = io.Copy(w, res.Body)
}

// standing is how the line stands.
type standing struct {
	Connected bool   `json:"connected"`
	State     string `json:"state"`
	Detail    string `json:"detail"`
}

// linked reports whether a phone has accepted the code already.
func (s standing) linked() bool { return s.State == "connected" || s.State == "connecting" }

func (p *phone) standing(ctx context.Context) (s standing, err error) {
	return s, p.owner.call(ctx, http.MethodGet, line+"/status", nil, &s)
}

func (p *phone) state(w http.ResponseWriter, r *http.Request) {
	s, err := p.standing(r.Context())
	answer(w, s, err)
}

// click scans the code. A scan that has begun goes on until ctx ends, also when the page is
// closed: the phone has accepted the code by then.
func (p *phone) click(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	err := p.scan(ctx)
	s, failed := p.standing(r.Context())
	answer(w, s, errors.Join(err, failed))
}

func answer(w http.ResponseWriter, s standing, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		s = standing{Detail: err.Error()}
	}
	_ = json.NewEncoder(w).Encode(s)
}

// scan scans the code that the line shows now, unless the line is linked already, and waits
// until the line is connected.
func (p *phone) scan(ctx context.Context) error {
	p.scanning.Lock()
	defer p.scanning.Unlock()
	ctx, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	s, err := p.standing(ctx)
	if err == nil && !s.linked() {
		err = p.useCode(ctx)
	}
	if err != nil {
		return err
	}
	err = until(ctx, func() error {
		s, err := p.standing(ctx)
		if err == nil && !s.Connected {
			err = errors.New("the line is not connected: " + s.Detail)
		}
		return err
	})
	if err == nil {
		p.once.Do(func() { close(p.linked) })
	}
	return err
}

// useCode lets the phone use the code that the line shows now.
func (p *phone) useCode(ctx context.Context) error {
	var shown struct{ QR *string }
	if err := p.owner.call(ctx, http.MethodGet, line+"/qr", nil, &shown); err != nil {
		return err
	}
	if shown.QR == nil {
		return errors.New("the line shows no code")
	}
	return p.use(ctx, *shown.QR)
}
