package pusher_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"chatcast/broadcasting"
	"chatcast/server/pusher"
)

func postBatch(h http.Handler, body string) *httptest.ResponseRecorder {
	return signed(h, "POST", "/apps/3/batch_events", nil, body)
}

// batchOf returns n copies of an event.
func batchOf(n int, event string) string {
	return `{"batch":[` + strings.TrimSuffix(strings.Repeat(event+",", n), ",") + `]}`
}

const plainEvent = `{"channel":"a","name":"e","data":"x"}`

func TestBatch(t *testing.T) {
	large := strings.Repeat("x", 10_000)
	for name, test := range map[string]struct {
		body, answer string
		want         []broadcasting.Event
	}{
		"one": {batchOf(1, plainEvent), `{}`, []broadcasting.Event{{App: "3", Channel: "a", Name: "e", Data: "x"}}},
		"in order": {`{"batch":[{"channel":"b","name":"2","data":"y","socket_id":"1.2"},{"channel":"a","name":"1","data":""},{"channel":"b","name":"0","data":"z","socket_id":null,"info":null}]}`, `{}`,
			[]broadcasting.Event{{App: "3", Channel: "b", Name: "2", Data: "y", Except: "1.2"}, {App: "3", Channel: "a", Name: "1"}, {App: "3", Channel: "b", Name: "0", Data: "z"}}},
		"ten of the largest": {batchOf(10, `{"channel":"a","name":"e","data":"`+large+`"}`), `{}`,
			slices.Repeat([]broadcasting.Event{{App: "3", Channel: "a", Name: "e", Data: large}}, 10)},
		"ten of the largest, escaped": {batchOf(10, `{"channel":"a","name":"e","data":"`+strings.Repeat(`\u0001`, 10_000)+`"}`), `{}`,
			slices.Repeat([]broadcasting.Event{{App: "3", Channel: "a", Name: "e", Data: strings.Repeat("\x01", 10_000)}}, 10)},
		"encrypted and others": {`{"batch":[{"channel":"private-encrypted-a","name":"e","data":"x"},` + plainEvent + `]}`, `{}`,
			[]broadcasting.Event{{App: "3", Channel: "private-encrypted-a", Name: "e", Data: "x"}, {App: "3", Channel: "a", Name: "e", Data: "x"}}},
		"info in the same places": {`{"batch":[{"channel":"presence-x","name":"e","data":"x","info":"user_count"},` + plainEvent + `,{"channel":"abc","name":"e","data":"x","info":"subscription_count,user_count"}]}`,
			`{"batch":[{"user_count":1},{},{"subscription_count":3}]}`,
			[]broadcasting.Event{{App: "3", Channel: "presence-x", Name: "e", Data: "x"}, {App: "3", Channel: "a", Name: "e", Data: "x"}, {App: "3", Channel: "abc", Name: "e", Data: "x"}}},
	} {
		t.Run(name, func(t *testing.T) {
			engine := counting{new(recorder)}
			w := postBatch(apiOf(t, engine, atDocTime), test.body)
			if w.Code != 200 || w.Body.String() != test.answer || w.Header().Get("Content-Type") != "application/json" {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if got := engine.take(); !slices.Equal(got, test.want) {
				t.Errorf("published %.200v, want %.200v", fmt.Sprint(got), fmt.Sprint(test.want))
			}
		})
	}
}

// Nothing of a batch with an error is published, wherever the error is.
func TestBatchRefuses(t *testing.T) {
	engine := new(recorder)
	h := apiOf(t, engine, atDocTime)
	after := func(event string) string { return `{"batch":[` + plainEvent + `,` + plainEvent + `,` + event + `]}` }
	for name, test := range map[string]struct {
		body    string
		status  int
		wantErr string
	}{
		"no body":            {``, 400, "the body is missing"},
		"no JSON":            {`{"batch":`, 400, "the body is not JSON: unexpected end of JSON input"},
		"null":               {`null`, 400, "the body must be a JSON object, not null"},
		"a bare list":        {`[` + plainEvent + `]`, 400, "the body must be a JSON object, not array"},
		"not UTF-8":          {after("{\"channel\":\"a\",\"name\":\"\xff\",\"data\":\"x\"}"), 400, "the body is not valid UTF-8"},
		"an event":           {plainEvent, 400, "batch is missing: it must list 1 to 10 events"},
		"null batch":         {`{"batch":null}`, 400, "batch is missing: it must list 1 to 10 events"},
		"empty batch":        {`{"batch":[]}`, 400, "batch is missing: it must list 1 to 10 events"},
		"a string as batch":  {`{"batch":"x"}`, 400, "batch may not be string"},
		"an object as batch": {`{"batch":` + plainEvent + `}`, 400, "batch may not be object"},
		"batch twice":        {`{"batch":[` + plainEvent + `],"batch":[` + plainEvent + `]}`, 400, "batch is given twice"},
		"eleven":             {batchOf(11, plainEvent), 400, "Batch too large: it has 11 events, at most 10 are allowed"},
		"no event":           {after(`null`), 400, "batch[2] must be a JSON object, not null"},
		"a number as event":  {after(`5`), 400, "batch[2] must be a JSON object, not number"},
		"no channel":         {after(`{"name":"e","data":"x"}`), 400, "batch[2]: channel is missing"},
		"channels":           {after(`{"channels":["a"],"name":"e","data":"x"}`), 400, "batch[2]: an event of a batch goes to one channel: give channel, not channels"},
		"both":               {after(`{"channel":"a","channels":[],"name":"e","data":"x"}`), 400, "batch[2]: an event of a batch goes to one channel: give channel, not channels"},
		"number as channel":  {after(`{"channel":1,"name":"e","data":"x"}`), 400, "batch[2].channel may not be number"},
		"bad channel":        {after(`{"channel":"a b","name":"e","data":"x"}`), 400, "batch[2]: channel: the name may hold only A-Z a-z 0-9 _ - = @ , . ;"},
		"long channel":       {after(`{"channel":"` + strings.Repeat("c", 201) + `","name":"e","data":"x"}`), 400, "batch[2]: channel: the name is longer than 200 bytes"},
		"no name":            {after(`{"channel":"a","data":"x"}`), 400, "batch[2]: name is missing"},
		"number as name":     {after(`{"channel":"a","name":1,"data":"x"}`), 400, "batch[2].name may not be number"},
		"long name":          {after(`{"channel":"a","name":"` + strings.Repeat("n", 201) + `","data":"x"}`), 400, "batch[2]: name is over 200 bytes"},
		"protocol's name":    {after(`{"channel":"a","name":"pusher:x","data":"x"}`), 400, "batch[2]: name may not start with pusher: or pusher_internal:"},
		"name twice":         {after(`{"channel":"a","name":"e","NAME":"e","data":"x"}`), 400, "batch[2].name is given twice"},
		"no data":            {after(`{"channel":"a","name":"e"}`), 400, "batch[2]: data is missing: it must be a string, which may be empty"},
		"object as data":     {after(`{"channel":"a","name":"e","data":{}}`), 400, "batch[2].data must be a string, not object: encode the JSON yourself"},
		"NaN as data":        {after(`{"channel":"a","name":"e","data":NaN}`), 400, "the body is not JSON: invalid character 'N' looking for beginning of value"},
		"large data":         {after(`{"channel":"a","name":"e","data":"` + strings.Repeat("x", 10_001) + `"}`), 413, "batch[2]: data: the content of this event is over 10000 bytes"},
		"large body":         {after(`{"channel":"a","name":"e","data":"` + strings.Repeat("x", 1<<20) + `"}`), 413, "the body is over 681920 bytes"},
		"bad socket":         {after(`{"channel":"a","name":"e","data":"x","socket_id":".1"}`), 400, "batch[2]: " + badSocketID},
		"unknown info":       {after(`{"channel":"a","name":"e","data":"x","info":"cache"}`), 400, `batch[2]: info may ask for user_count and subscription_count, not for "cache"`},
		"no counts":          {after(`{"channel":"a","name":"e","data":"x","info":"user_count"}`), 400, "batch[2]: info: this server does not count user_count"},
	} {
		t.Run(name, func(t *testing.T) {
			checkError(t, postBatch(h, test.body), test.status, test.wantErr)
			if got := engine.take(); len(got) != 0 {
				t.Errorf("of a refused batch was published: %+v", got)
			}
		})
	}
}

// An app's own limit overrides ten, and the size limit of a request grows with it.
func TestBatchOwnLimit(t *testing.T) {
	app := docApp()
	app.Limits.EventsPerBatch = 20
	engine := new(recorder)
	h := apiOfApps(t, engine, atDocTime, app)
	event := `{"channel":"a","name":"e","data":"` + strings.Repeat(`\u0001`, 10_000) + `"}`
	if w := postBatch(h, batchOf(20, event)); w.Code != 200 || len(engine.take()) != 20 {
		t.Errorf("20 events: %d %s", w.Code, w.Body)
	}
	checkError(t, postBatch(h, batchOf(21, plainEvent)), 400, "Batch too large: it has 21 events, at most 20 are allowed")
}

func TestBatchFails(t *testing.T) {
	h := apiOf(t, &recorder{err: errors.New("a secret reason")}, atDocTime)
	checkError(t, postBatch(h, batchOf(2, plainEvent)), 503, "batch[0] could not be published; events before it are")
	h = apiOf(t, counting{new(recorder)}, atDocTime)
	checkError(t, postBatch(h, batchOf(2, `{"channel":"lost","name":"e","data":"x","info":"user_count"}`)), 503, "the events are published, but the counts are not available now")
}

// FuzzBatch: whatever a signed body is, nothing panics, the answer is a documented one,
// and a refused batch publishes nothing.
func FuzzBatch(f *testing.F) {
	for _, body := range []string{
		batchOf(1, plainEvent), batchOf(11, plainEvent), `{"batch":[null]}`, `{"batch":[{"channel":"a","name":"e","data":"x","n\u0061me":"f"}]}`,
		`{"batch":[{"channel":"presence-a","name":"e","data":"\"{","info":"user_count,subscription_count"},{}]}`, `{"batch":[[[{"batch":1}]]]}`, "{\"batch\":\xff}", `{"Batch":[],"batch":[]}`, " ",
	} {
		f.Add(body)
	}
	engine := counting{new(recorder)}
	h := apiOf(f, engine, atDocTime)
	f.Fuzz(func(t *testing.T, body string) {
		w := postBatch(h, body)
		published := engine.take()
		switch w.Code {
		case 200:
			var b struct {
				Batch []struct{ Channel, Name, Data string } `json:"batch"`
			}
			if err := json.Unmarshal([]byte(body), &b); err != nil || len(b.Batch) != len(published) || len(published) > 10 {
				t.Fatalf("%q published %+v", body, published)
			}
			for i, ev := range published {
				if want := b.Batch[i]; ev != (broadcasting.Event{App: "3", Channel: want.Channel, Name: want.Name, Data: want.Data, Except: ev.Except}) || ev.Except != "" && !pusher.ValidSocketID(ev.Except) {
					t.Errorf("%q published %+v", body, ev)
				}
			}
		case 400, 413:
			if len(published) != 0 {
				t.Errorf("%d, but %+v was published", w.Code, published)
			}
		case 503: // the counts of the channel "lost"
		default:
			t.Errorf("status %d", w.Code)
		}
	})
}
