package content

import (
	"encoding/json"
	"testing"
)

func TestMediaNoteSurvivesJSON(t *testing.T) {
	s := Translate(contents[5].message)
	b, err := json.Marshal(s.Media)
	if err != nil {
		t.Fatal(err)
	}
	var back Media
	if err := json.Unmarshal(b, &back); err != nil || string(back.Key) != string(s.Media.Key) || back.Kind != s.Media.Kind || back.URL != s.Media.URL {
		t.Errorf("%+v came back as %+v, %v", s.Media, back, err)
	}
}
