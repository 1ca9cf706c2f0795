package evolution_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"chatcast/crm"
)

// letters is a text that never ends.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'A'
	}
	return len(p), nil
}

// long sends a body that is not held in memory, and returns the answer.
func (w *world) long(path string, body io.Reader, size int64, contentType string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.base+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	req.ContentLength = size
	req.Header.Set("apikey", w.company)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Expect", "100-continue") // so that the body waits for the server to want it
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, settled(string(answer))
}

// bodyWith returns a body whose file has so many letters of base64.
func bodyWith(before string, n int64, after string) (io.Reader, int64) {
	return io.MultiReader(strings.NewReader(before), io.LimitReader(letters{}, n), strings.NewReader(after)), int64(len(before)+len(after)) + n
}

// TestComplaint13LargeFiles sends the largest file that the default limit allows, in a body of 140 MB: the
// server holds little of it in memory. What is longer is refused.
func TestComplaint13LargeFiles(t *testing.T) {
	w := onSQLite(t)
	const most = crm.DefaultMaxFile / 3 * 4
	sent := func(size int64) string {
		return object("documentMessage", fmt.Sprintf(`"documentMessage":{"url":"LINK","mimetype":"application/octet-stream","fileLength":"%d","title":"a.bin","fileName":"a.bin"},"mediaUrl":"LINK"`, size), "")
	}
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	body, size := bodyWith(`{"mediatype":"document","mediaMessage":{"media":"data:application/octet-stream;base64,`, most, `","fileName":"a.bin"},`+anna+`}`)
	status, answer := w.long("/message/sendMedia/shop", body, size, "application/json; charset=utf-8")
	if want := sent(most / 4 * 3); status != 201 || answer != want {
		t.Errorf("a file of %d bytes: %d %s, want %s", most/4*3, status, answer, want)
	}
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 { // all else that the process does meanwhile is in it
		t.Errorf("a file of 100 MiB took %d MiB of memory", grown>>20)
	}

	const limit = 3 << 20
	w.MaxFile = limit
	medium := int64(1 << 20)
	body, size = bodyWith(`{`+anna+`,"mediatype":"document","fileName":"a.bin","media":"`, medium, `","quoted":{"key":{"id":"NO"},"message":{"base64":"`+strings.Repeat("A", 2<<20)+`"}}}`)
	if status, answer := w.long("/message/sendMedia/shop", body, size, "application/json"); status != 201 || answer != sent(medium/4*3) {
		t.Errorf("beside a quoted file: %d %s", status, answer)
	}
	tooLarge := func(text string) string {
		return `{"status":413,"error":"Request Entity Too Large","response":{"message":["` + text + `"]}}`
	}
	for _, test := range []struct {
		what, path, before string
		letters            int64
		after              string
		status             int
		answer             string
	}{
		{"a file over the limit", "/message/sendMedia/shop", `{` + anna + `,"mediatype":"document","fileName":"a.bin","media":"`, limit/3*4 + 4, `"}`, 413, tooLarge("the file is over 3145728 bytes")},
		{"a body over the limit", "/message/sendMedia/shop", `{` + anna + `,"media":"`, 8 << 20, `"}`, 413, tooLarge("the file is over 3145728 bytes")},
		{"a long caption", "/message/sendMedia/shop", `{` + anna + `,"mediatype":"image","caption":"`, 2 << 20, `"}`, 413, tooLarge("the body is over 1048576 bytes: send large files by their address, or in a form")},
		{"a long text", "/message/sendText/shop", `{` + anna + `,"text":"`, 2 << 20, `"}`, 413, tooLarge("the body is over 1048576 bytes: send large files by their address, or in a form")},
		{"a long name", "/instance/create", `{"instanceName":"`, 2 << 20, `"}`, 413, tooLarge("the body is over 1048576 bytes: send large files by their address, or in a form")},
		{"a long picture", "/chat/updateProfilePicture/shop", `{"picture":"`, 12 << 20, `"}`, 413, tooLarge(fmt.Sprintf("the body is over %d bytes: send large files by their address, or in a form", crm.MaxPicture*3/2+1<<20))},
		{"no base64", "/message/sendMedia/shop", `{` + anna + `,"mediatype":"image","media":"`, 2 << 20, `*"}`, 400, badText("Owned media must be a url or base64")},
		{"no base64 in audio", "/message/sendWhatsAppAudio/shop", `{` + anna + `,"audioMessage":{"audio":"`, 2 << 20, `*"}}`, 400, badText("Owned media must be a url, base64, or valid file with buffer")},
		{"no name", "/message/sendMedia/shop", `{` + anna + `,"mediatype":"document","media":"`, 2 << 20, `"}`, 400, badText("For base64 the file name must be informed.")},
		{"two files", "/message/sendMedia/shop", `{"audio":"` + strings.Repeat("A", 1<<17) + `","media":"`, 2 << 20, `"}`, 400, badText("the body has more than one file")},
		{"no JSON", "/message/sendMedia/shop", `{"media":"`, 2 << 20, `"`, 400, badText("the body must be JSON: it is not complete, or has a sign where none may be")},
		{"no number", "/message/sendMedia/shop", `{"mediatype":"image","media":"`, 2 << 20, `"}`, 400, invalid("The numbers must be strings/only numeric")},
	} {
		for _, chunked := range []bool{true, false} {
			body, size := bodyWith(test.before, test.letters, test.after)
			if chunked {
				size = -1
			}
			if !chunked && size > limit*3/2+1<<20 && strings.HasPrefix(test.path, "/message/sendM") { // it is not read
				test.answer = tooLarge("the body is over 5767168 bytes: send large files by their address, or in a form")
			}
			if status, answer := w.long(test.path, body, size, "application/json"); status != test.status || answer != test.answer {
				t.Errorf("%s: %d %s, want %d %s", test.what, status, answer, test.status, test.answer)
			}
		}
	}
}

// TestLongFormsWithoutParts sends files in forms without parts: they go to the file store as they come,
// as those in JSON do, and what is beside them is bounded alike.
func TestLongFormsWithoutParts(t *testing.T) {
	w := onSQLite(t)
	const kind = "application/x-www-form-urlencoded"
	const to = "number=79990001122&mediatype=document&fileName=a.bin"
	sent := func(size int64) string {
		return object("documentMessage", fmt.Sprintf(`"documentMessage":{"url":"LINK","mimetype":"application/octet-stream","fileLength":"%d","title":"a.bin","fileName":"a.bin"},"mediaUrl":"LINK"`, size), "")
	}
	tooLarge := func(text string) string {
		return `{"status":413,"error":"Request Entity Too Large","response":{"message":["` + text + `"]}}`
	}
	const most = 96 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	body, size := bodyWith(to+"&media=", most, "&caption=x")
	if status, answer := w.long("/message/sendMedia/shop", body, size, kind); status != 201 || answer != strings.Replace(sent(most/4*3), `"fileName":"a.bin"`, `"fileName":"a.bin","caption":"x"`, 1) {
		t.Errorf("a long file: %d %s", status, answer)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
		t.Errorf("a file of 72 MiB took %d MiB of memory", grown>>20)
	}
	w.MaxFile = 3 << 20
	for _, test := range []struct {
		what, path, before string
		letters            int64
		after              string
		status             int
		answer             string
	}{
		{"signs that are not encoded", "/message/sendMedia/shop", to + "&media=%2B%2F+/" + strings.Repeat("++//", 1<<15), 4, "", 201, strings.Replace(sent((4+4<<15+4)/4*3), "application/octet-stream", "text/plain", 1)},
		{"a short one", "/message/sendMedia/shop", to + "&media=++//", 4, "", 201, sent(6)},
		{"a file over the limit", "/message/sendMedia/shop", to + "&media=", 4<<20 + 4, "", 413, tooLarge("the file is over 3145728 bytes")},
		{"a long caption", "/message/sendMedia/shop", to + "&caption=", 2 << 20, "&media=AAAA", 413, tooLarge("the body is over 1048576 bytes: send large files by their address, or in a form")},
		{"a long name", "/message/sendMedia/shop", to + "&", 2 << 20, "=1", 413, tooLarge("the body is over 1048576 bytes: send large files by their address, or in a form")},
		{"a long text", "/message/sendText/shop", "number=79990001122&text=", 2 << 20, "", 413, tooLarge("the body is over 1048576 bytes: send large files by their address, or in a form")},
		{"no base64", "/message/sendMedia/shop", to + "&media=", 2 << 20, "*", 400, badText("Owned media must be a url or base64")},
		{"two files", "/message/sendMedia/shop", to + "&audio=" + strings.Repeat("A", 1<<17) + "&media=", 2 << 20, "", 400, badText("the body has more than one file")},
		{"no form", "/message/sendMedia/shop", to + "&media=", 2 << 20, "&x=%5", 400, badText("the body must be a form: a sign after % is no hexadecimal digit")},
		{"many fields", "/message/sendMedia/shop", to + strings.Repeat("&a", 50_000), 0, "", 400, badText("the form has more than 50000 fields")},
		{"a file twice over the limit", "/message/sendMedia/shop", to + "&media=", 8 << 20, "", 413, tooLarge("the file is over 3145728 bytes")},
	} {
		for _, chunked := range []bool{true, false} {
			body, size := bodyWith(test.before, test.letters, test.after)
			if chunked {
				size = -1
			}
			if !chunked && size > 3<<20*3/2+1<<20 { // it is not read
				test.answer = tooLarge("the body is over 5767168 bytes: send large files by their address, or in a form")
			}
			if status, answer := w.long(test.path, body, size, kind); status != test.status || answer != test.answer {
				t.Errorf("%s: %d %s, want %d %s", test.what, status, answer, test.status, test.answer)
			}
		}
	}
}

// TestLargeForms sends forms whose fields are too long.
func TestLargeForms(t *testing.T) {
	w := onSQLite(t)
	body, kind := form(t, nil, "number=79990001122", "caption="+strings.Repeat("a", 600<<10), "title="+strings.Repeat("b", 600<<10))
	w.want(w.company, "POST /message/sendMedia/shop", body, 413,
		`{"status":413,"error":"Request Entity Too Large","response":{"message":["the fields of the form are over 1048576 bytes"]}}`, kind)
}
