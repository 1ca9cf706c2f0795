package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"chatcast/cmd/chatcast/app"
)

// licences are the licences of the Go modules in the program, and its own. make licenses
// writes the file, and a test compares it with what is linked.
//
//go:embed licenses.txt
var licences string

// licenceCommands are the commands that tell what the program is made of.
func licenceCommands() []command {
	return []command{
		{name: "licenses", args: "", summary: "print the licences of everything that is in the program", run: printLicences},
		{name: "sbom", args: "", summary: "print what the program is made of, as a CycloneDX SBOM in JSON", run: printSBOM},
	}
}

func printLicences(_ context.Context, in invocation) error {
	_, err := fmt.Fprint(in.stdout, licences)
	if npm := app.ConsoleLicences(); err == nil && npm != nil {
		_, err = fmt.Fprintf(in.stdout, "%s\nThe console\n\n%s", licenceRule, npm)
	}
	return err
}

// licenceRule separates the parts of licenses.txt. After it come the modules of the part,
// a line each, an empty line, and the texts that they have in common.
const licenceRule = "================================================================================\n"

// licenceHeading matches the line of a module: path, version, and the SPDX ids of its
// licences.
var licenceHeading = regexp.MustCompile(`^(\S+) (\S+) \((.+)\)$`)

// licencesOf returns the SPDX ids of the modules' licences, by path.
func licencesOf(text string) map[string][]string {
	found := map[string][]string{}
	for _, part := range strings.Split(text, licenceRule)[1:] {
		head, _, _ := strings.Cut(part, "\n\n")
		for line := range strings.Lines(head) {
			if m := licenceHeading.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
				found[m[1]] = strings.Split(m[3], ", ")
			}
		}
	}
	return found
}

func printSBOM(_ context.Context, in invocation) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("the program was built without the list of its modules")
	}
	e := cdx.NewBOMEncoder(in.stdout, cdx.BOMFileFormatJSON)
	e.SetPretty(true)
	return e.EncodeVersion(sbom(info, licencesOf(licences), app.ConsolePackages()), cdx.SpecVersion1_6)
}

// sbom lists the modules that are linked into the program, Go's standard library, and the
// packages of the console. The same program always gives the same list.
func sbom(info *debug.BuildInfo, ids map[string][]string, npm []app.NPMPackage) *cdx.BOM {
	bom := cdx.NewBOM()
	root := component("pkg:generic/chatcast@"+url.QueryEscape(version), "chatcast", version, []string{"MIT"})
	root.Type = cdx.ComponentTypeApplication
	root.Properties = &[]cdx.Property{{Name: "commit", Value: commitID()}}
	bom.Metadata = &cdx.Metadata{Component: &root}
	var list []cdx.Component
	goVersion := strings.TrimPrefix(info.GoVersion, "go")
	list = append(list, component("pkg:golang/std@"+url.QueryEscape(goVersion), "std", goVersion, ids["std"]))
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		one := component("pkg:golang/"+m.Path+"@"+url.QueryEscape(m.Version), m.Path, m.Version, ids[m.Path])
		if m.Sum != "" {
			one.Properties = &[]cdx.Property{{Name: "go.sum", Value: m.Sum}}
		}
		list = append(list, one)
	}
	for _, p := range npm {
		list = append(list, component("pkg:npm/"+strings.Replace(p.Name, "@", "%40", 1)+"@"+url.QueryEscape(p.Version), p.Name, p.Version, []string{p.Licence}))
	}
	bom.Components = &list
	var refs []string
	for _, one := range list {
		refs = append(refs, one.BOMRef)
	}
	bom.Dependencies = &[]cdx.Dependency{{Ref: root.BOMRef, Dependencies: &refs}}
	return bom
}

// component returns a library with its package URL, which is also its name in the list.
func component(purl, name, version string, ids []string) cdx.Component {
	c := cdx.Component{Type: cdx.ComponentTypeLibrary, BOMRef: purl, PackageURL: purl, Name: name, Version: version}
	if len(ids) > 0 {
		var all cdx.Licenses
		for _, id := range ids {
			all = append(all, cdx.LicenseChoice{License: &cdx.License{ID: id}})
		}
		c.Licenses = &all
	}
	return c
}
