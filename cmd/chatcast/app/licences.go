package app

import (
	"regexp"
	"slices"

	"chatcast/server/console"
)

// ConsoleLicences returns the licences of the npm packages in the console; nil if the
// program was built without it.
func ConsoleLicences() []byte { return console.Licences() }

// NPMPackage is a package that is built into the console.
type NPMPackage struct{ Name, Version, Licence string } // Licence is its SPDX id

// npmHeading matches the heading of a package in the console's licences: Vite's "name -
// version (licence)", and ours of files in lib.
var npmHeading = regexp.MustCompile(`(?m)^## (?:lib/\S+: )?(\S+) - (\S+) \(([^)]+)\)$`)

// ConsolePackages lists the packages in the console, each version once.
func ConsolePackages() (list []NPMPackage) {
	for _, m := range npmHeading.FindAllSubmatch(ConsoleLicences(), -1) {
		if p := (NPMPackage{string(m[1]), string(m[2]), string(m[3])}); !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}
