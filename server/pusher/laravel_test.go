package pusher_test

import (
	"testing"

	"chatcast/broadcasting"
)

// TestLaravelRequests uses requests signed by pusher-php-server 7.2.6, as Laravel's
// broadcaster calls it, at the time of the documentation's signatures. The body is from
// PHP's json_encode. The queries are from http_build_query, once with + for a space and
// once as Guzzle sends it (RFC 3986), in PHP's order and in another.
func TestLaravelRequests(t *testing.T) {
	const (
		body = `{"name":"App\\Events\\OrderShipped","data":"{\"order\":{\"id\":7,\"note\":\"\\u00fc \\\/ \\u2028 +&=\"},\"socket\":null}",` +
			`"channels":["private-orders.7","b;c,d@e"],"socket_id":"1.1"}`
		auth   = "auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0"
		md5    = "&body_md5=aba7459dcb60ee6ba6199011744ad599"
		signed = "&auth_signature=2b2e426b8c28cd0a21b7b9a2134783f8870876d4d34f4387b2d5277bd4974fb7"

		plus   = "&channels%5B%5D=presence-a%3Bb%2Cc&data=%7B%22a%22%3A%22%C3%BC+%2B%26%3D%7E%2A%22%7D&info=user_count%2Csubscription_count&name=App%5CEvents%5CA+b"
		spaces = "&channels%5B%5D=presence-a%3Bb%2Cc&data=%7B%22a%22%3A%22%C3%BC%20%2B%26%3D~%2A%22%7D&info=user_count%2Csubscription_count&name=App%5CEvents%5CA%20b"
		query  = "&auth_signature=dddb8994670f8234d0195df4b7d87a900310dbcce27a37456d833268ed39d49c"
	)
	order := broadcasting.Event{App: "3", Name: `App\Events\OrderShipped`, Data: `{"order":{"id":7,"note":"\u00fc \/ \u2028 +&="},"socket":null}`, Except: "1.1"}
	orders := []broadcasting.Event{order, order}
	orders[0].Channel, orders[1].Channel = "private-orders.7", "b;c,d@e"
	asked := []broadcasting.Event{{App: "3", Channel: "presence-a;b,c", Name: `App\Events\A b`, Data: `{"a":"ü +&=~*"}`}}
	for name, test := range map[string]struct {
		query, body string
		want        []broadcasting.Event
	}{
		"body":                    {auth + md5 + signed, body, orders},
		"body, another order":     {signed[1:] + md5 + "&" + auth, body, orders},
		"query":                   {auth + plus + query, "", asked},
		"query, RFC 3986":         {auth + spaces + query, "", asked},
		"query, signature first":  {query[1:] + plus + "&" + auth, "", asked},
		"query, brackets as such": {auth + "&channels[]=" + plus[len("&channels%5B%5D="):] + query, "", asked},
	} {
		t.Run(name, func(t *testing.T) {
			engine := new(recorder)
			w := serve(apiOf(t, counting{engine}, atDocTime), "POST", "/apps/3/events?"+test.query, test.body)
			got := engine.take()
			if w.Code != 200 || len(got) != len(test.want) {
				t.Fatalf("%d %s, published %+v", w.Code, w.Body, got)
			}
			for i, want := range test.want {
				if got[i] != want {
					t.Errorf("published %+v, want %+v", got[i], want)
				}
			}
		})
	}
}
