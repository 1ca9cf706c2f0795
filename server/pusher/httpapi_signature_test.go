package pusher_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting"
	"chatcast/broadcasting/apps"
	"chatcast/server/pusher"
)

// hmacHex computes the signature independently, so that the tests do not trust the code
// that they test.
func hmacHex(secret, s string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(s))
	return hex.EncodeToString(mac.Sum(nil))
}

func signature(secret, method, path, canonical string) string {
	return hmacHex(secret, method+"\n"+path+"\n"+canonical)
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// Every way in which the libraries sign and send is accepted.
func TestSignatureReadings(t *testing.T) {
	const auth = "auth_key=" + docKey + "&auth_timestamp=1353088179&auth_version=1.0"
	const path = "/apps/3/events"
	for name, test := range map[string]struct {
		path, signed string // what is signed
		target, sent string // what is on the wire
		want         broadcasting.Event
	}{
		"as it is": {path, auth + "&channel=a&data=x&name=e", path, "name=e&data=x&channel=a&" + auth,
			broadcasting.Event{Channel: "a", Name: "e", Data: "x"}},
		"literal ; and +": {path, auth + "&channel=a;b&data=1+1&name=e", path, "name=e&data=1+1&channel=a;b&" + auth,
			broadcasting.Event{Channel: "a;b", Name: "e", Data: "1+1"}},
		"escaped + and ;": {path, auth + "&channel=a;b&data=1+1 =2&name=e", path, "name=e&data=1%2B1%20%3D2&channel=a%3Bb&" + auth,
			broadcasting.Event{Channel: "a;b", Name: "e", Data: "1+1 =2"}},
		"a form": {path, auth + "&channel=a&data=1 + 1&name=e", path, "name=e&data=1+%2B+1&channel=a&" + auth,
			broadcasting.Event{Channel: "a", Name: "e", Data: "1 + 1"}},
		"a literal % in a literal query": {path, auth + "&channel=a&data=100%25&name=e", path, "name=e&data=100%25&channel=a&" + auth,
			broadcasting.Event{Channel: "a", Name: "e", Data: "100%25"}},
		"keys in upper case": {path, auth + "&channel=a&data=x&name=e", path, "Name=e&DATA=x&channel=a&" + auth,
			broadcasting.Event{Channel: "a", Name: "e", Data: "x"}},
		"a list": {path, auth + "&channels[]=b&data=x&name=e", path, "name=e&data=x&channels[]=b&" + auth,
			broadcasting.Event{Channel: "b", Name: "e", Data: "x"}},
		"an escaped list": {path, auth + "&channels[]=b&data=x&name=e", path, "name=e&data=x&channels%5B%5D=b&" + auth,
			broadcasting.Event{Channel: "b", Name: "e", Data: "x"}},
		"escaped path, decoded signed": {path, auth + "&channel=a&data=x&name=e", "/apps/3/%65vents", "name=e&data=x&channel=a&" + auth,
			broadcasting.Event{Channel: "a", Name: "e", Data: "x"}},
		"escaped path, raw signed": {"/apps/3/%65vents", auth + "&channel=a&data=x&name=e", "/apps/3/%65vents", "name=e&data=x&channel=a&" + auth,
			broadcasting.Event{Channel: "a", Name: "e", Data: "x"}},
		"empty values and pairs": {path, auth + "&channel=a&data=&name=e", path, "&name=e&&data&channel=a&" + auth + "&",
			broadcasting.Event{Channel: "a", Name: "e", Data: ""}},
	} {
		t.Run(name, func(t *testing.T) {
			engine := new(recorder)
			sig := signature(docSecret, "POST", test.path, test.signed)
			w := serve(apiOf(t, engine, atDocTime), "POST", test.target+"?"+test.sent+"&auth_signature="+sig, "")
			if w.Code != 200 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			test.want.App = "3"
			if got := engine.take(); len(got) != 1 || got[0] != test.want {
				t.Errorf("published %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestSignatureRefuses(t *testing.T) {
	const path = "/apps/3/events"
	const noApp = "this auth_key does not belong to this app id, or there is no such app"
	const badSignature = "auth_signature is not the HMAC-SHA256 of POST, the path and the sorted query with the app's secret"
	other := apps.App{ID: "4", Key: "otherkey", Secret: "othersecret", Enabled: true}
	disabled := apps.App{ID: "5", Key: "disabledkey", Secret: "disabledsecret"}
	sign := func(key, secret, path, body string, at int64) string {
		return path + "?" + pusher.SignRequest(key, secret, "POST", path, nil, []byte(body), time.Unix(at, 0))
	}
	good := sign(docKey, docSecret, path, docBody, docTime.Unix())
	without := func(key string) string {
		u, _ := url.Parse(good)
		q := u.Query()
		q.Del(key)
		return path + "?" + q.Encode()
	}
	noMD5 := "auth_key=" + docKey + "&auth_timestamp=1353088179&auth_version=1.0"
	dup := "auth_key=" + docKey + "&auth_timestamp=1353088179&auth_version=1.0&name=a&name=b"
	emptyMD5 := noMD5 + "&body_md5=" + md5Hex("") // MD5 of an empty body, but there is a body

	for name, test := range map[string]struct {
		target, body string
		status       int
		wantErr      string
	}{
		"nothing":            {path, docBody, 401, "auth_key is missing from the query"},
		"no key":             {without("auth_key"), docBody, 401, "auth_key is missing from the query"},
		"no timestamp":       {without("auth_timestamp"), docBody, 401, "auth_timestamp is missing from the query"},
		"no version":         {without("auth_version"), docBody, 401, "auth_version is missing from the query"},
		"no signature":       {without("auth_signature"), docBody, 401, "auth_signature is missing from the query"},
		"no md5":             {without("body_md5"), docBody, 401, "body_md5 is missing from the query: it must cover the body"},
		"signed without md5": {path + "?" + noMD5 + "&auth_signature=" + signature(docSecret, "POST", path, noMD5), docBody, 401, "body_md5 is missing from the query: it must cover the body"},
		"md5 of no body":     {path + "?" + emptyMD5 + "&auth_signature=" + signature(docSecret, "POST", path, emptyMD5), docBody, 401, "body_md5 is not the MD5 of the body"},
		"changed body":       {good, strings.Replace(docBody, "foo", "fox", 1), 401, "body_md5 is not the MD5 of the body"},
		"emptied body":       {good, "", 401, "body_md5 is not the MD5 of the body"},
		"another version":    {strings.Replace(good, "auth_version=1.0", "auth_version=2.0", 1), docBody, 401, "auth_version must be 1.0"},
		"no number as time":  {strings.Replace(good, "1353088179", "soon", 1), docBody, 401, "auth_timestamp must be unix seconds"},
		"overflowing time":   {strings.Replace(good, "1353088179", "99999999999999999999", 1), docBody, 401, "auth_timestamp must be unix seconds"},
		"too old":            {sign(docKey, docSecret, path, docBody, docTime.Unix()-601), docBody, 401, "auth_timestamp is more than 600 seconds from the server's clock, which says 1353088179"},
		"too new":            {sign(docKey, docSecret, path, docBody, docTime.Unix()+601), docBody, 401, "auth_timestamp is more than 600 seconds from the server's clock, which says 1353088179"},
		"changed time":       {strings.Replace(good, "1353088179", "1353088180", 1), docBody, 401, badSignature},
		"added parameter":    {good + "&info=user_count", docBody, 401, badSignature},
		"wrong secret":       {sign(docKey, "x", path, docBody, docTime.Unix()), docBody, 401, badSignature},
		"another method":     {path + "?" + docQuery + "&auth_signature=" + signature(docSecret, "GET", path, docQuery), docBody, 401, badSignature},
		"another path":       {path + "?" + docQuery + "&auth_signature=" + signature(docSecret, "POST", "/apps/3/event", docQuery), docBody, 401, badSignature},
		"signature in parts": {strings.Replace(good, "auth_signature=", "auth_signature=00", 1), docBody, 401, badSignature},
		"two keys":           {path + "?" + dup + "&auth_signature=" + signature(docSecret, "POST", path, dup), "", 401, "a parameter is given twice, or in two spellings that differ only by case"},
		"two cases of a key": {good + "&Auth_Key=" + docKey, docBody, 401, "a parameter is given twice, or in two spellings that differ only by case"},
		"unknown app":        {sign(docKey, docSecret, "/apps/9/events", docBody, docTime.Unix()), docBody, 401, noApp},
		"unknown key":        {sign("x", docSecret, path, docBody, docTime.Unix()), docBody, 401, noApp},
		"another app's key":  {sign("otherkey", "othersecret", path, docBody, docTime.Unix()), docBody, 401, noApp},
		"disabled app":       {sign("disabledkey", "disabledsecret", "/apps/5/events", docBody, docTime.Unix()), docBody, 403, "the app is disabled"},
		"disabled, unsigned": {sign("disabledkey", "x", "/apps/5/events", docBody, docTime.Unix()), docBody, 401, badSignature},
	} {
		t.Run(name, func(t *testing.T) {
			engine := new(recorder)
			w := serve(apiOf(t, engine, atDocTime, other, disabled), "POST", test.target, test.body)
			checkError(t, w, test.status, test.wantErr)
			if got := engine.take(); len(got) != 0 {
				t.Errorf("published %+v", got)
			}
		})
	}
}

func TestTimestampEdges(t *testing.T) {
	for _, skew := range []int64{-600, 600} {
		query := pusher.SignRequest(docKey, docSecret, "POST", "/apps/3/events", nil, []byte(docBody), docTime.Add(time.Duration(skew)*time.Second))
		if w := serve(apiOf(t, new(recorder), atDocTime), "POST", "/apps/3/events?"+query, docBody); w.Code != 200 {
			t.Errorf("%+d s: %d %s", skew, w.Code, w.Body)
		}
	}
}

// FuzzQuery: whatever the query and body, nothing panics, nothing gets in without the
// secret, and every refusal is a documented one.
func FuzzQuery(f *testing.F) {
	f.Add(docQuery+"&auth_signature="+docSig, docBody)
	f.Add("auth_key="+docKey+"&auth_timestamp=1353088179&auth_version=1.0&auth_signature=x&name=%zz;+", "")
	f.Add("a=1&A=1&channels[]=a&channels%5B%5D=b&&==", "\xff")
	engine := new(recorder)
	h := apiOf(f, engine, atDocTime)
	f.Fuzz(func(t *testing.T, query, body string) {
		r := httptest.NewRequest("POST", "/apps/3/events", strings.NewReader(body))
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		published := engine.take()
		switch w.Code {
		case 200, 400: // only with the one signature that is in the seeds, in upper or lower case
			if !strings.Contains(strings.ToLower(query), docSig) {
				t.Errorf("%d for a query that nobody signed: %s", w.Code, query)
			}
		case 401, 413:
			if len(published) != 0 {
				t.Errorf("%d, but %+v was published", w.Code, published)
			}
		default:
			t.Errorf("status %d", w.Code)
		}
	})
}

// FuzzSignRequest: what we sign we accept, whatever the values are.
func FuzzSignRequest(f *testing.F) {
	f.Add("a;b", "1+1=2 & %41", "x")
	f.Add("a", "\x00ü\xff", "y")
	engine := new(recorder)
	h := apiOf(f, engine, atDocTime)
	f.Fuzz(func(t *testing.T, channel, data, name string) {
		params := map[string]string{"channel": channel, "data": data, "name": name}
		query := pusher.SignRequest(docKey, docSecret, "POST", "/apps/3/events", params, nil, docTime)
		w := serve(h, "POST", "/apps/3/events?"+query, "")
		published := engine.take()
		if w.Code == 401 {
			t.Fatalf("our own signature is refused: %s: %s", query, w.Body)
		}
		if w.Code == 200 && (len(published) != 1 || published[0].Data != data || published[0].Name != name || published[0].Channel != channel) {
			t.Errorf("published %+v instead of %q %q %q", published, channel, name, data)
		}
	})
}
