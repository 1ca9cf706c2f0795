package crm

import (
	"slices"
	"strconv"
)

// labelPalette are the colours that labels of WhatsApp may have.
var labelPalette = []string{
	"#ff9485", "#64c4ff", "#ffd429", "#dfaef0", "#99b6c1", "#55ccb3", "#ff9dff", "#d3a91d", "#6d7cce", "#d7e752",
	"#00d0e2", "#ffc5c7", "#93ceac", "#f74848", "#00a0f2", "#83e422", "#ffaf04", "#b5ebff", "#9ba6ff", "#9368cf",
}

// LabelColor returns the colour with a number in WhatsApp's palette, or "" when there is
// none.
func LabelColor(n int32) string {
	if n < 0 || int(n) >= len(labelPalette) {
		return ""
	}
	return labelPalette[n]
}

// LabelColorOf returns the number of the colour in WhatsApp's palette that is most like
// the colour of a tag.
func LabelColorOf(color string) int32 {
	best, least := 0, -1
	want := rgb(color)
	for i, c := range labelPalette {
		distance := 0
		for k, v := range rgb(c) {
			distance += (v - want[k]) * (v - want[k])
		}
		if least < 0 || distance < least {
			best, least = i, distance
		}
	}
	return int32(best)
}

// rgb returns the parts of a colour: of #rgb, #rgba, #rrggbb or #rrggbbaa. Of another
// length, which no browser knows, it returns those of the first six digits, as far as they
// go.
func rgb(color string) (parts [3]int) {
	digits := []byte(color)
	if len(digits) > 0 && digits[0] == '#' {
		digits = digits[1:]
	}
	if len(digits) == 3 || len(digits) == 4 {
		var long []byte
		for _, d := range digits[:3] {
			long = append(long, d, d)
		}
		digits = long
	}
	digits = append(digits, slices.Repeat([]byte("0"), 6)...)
	for i := range parts {
		n, _ := strconv.ParseUint(string(digits[2*i:2*i+2]), 16, 8) // what is no digit is dark
		parts[i] = int(n)
	}
	return parts
}

// alike reports whether the colour of a label is the tag's, as far as WhatsApp can tell.
func alike(label, tag string) bool {
	return label == tag || slices.Contains(labelPalette, label) && LabelColor(LabelColorOf(tag)) == label
}
