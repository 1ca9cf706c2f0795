package api

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// A converter converts what stands at a place of the document.
type converter func(at string, v any) (any, error)

// object is a kind of object of the OpenAPI specification: what becomes of each of its
// fields. Fields of our own, x-..., stay.
type object map[string]converter

// objects lists the kinds of objects that openapi.yaml has, beside schemas.
var objects map[string]object

func init() { // the kinds refer to each other
	kind := func(name string) converter {
		return func(at string, v any) (any, error) { return objects[name].convert(at, v) }
	}
	objects = map[string]object{
		"document": {
			"openapi": version30, "info": kind("info"), "servers": same, "security": same, "tags": same,
			"paths": mapOf(kind("path")), "components": kind("components"),
		},
		"info":    {"title": same, "version": same, "description": same, "license": kind("license")},
		"license": {"name": same, "identifier": license30},
		"components": {
			"securitySchemes": same, "parameters": mapOf(kind("parameter")), "responses": mapOf(kind("response")), "schemas": mapOf(schema30),
		},
		"path": {
			"parameters": listOf(kind("parameter")), "get": kind("operation"), "head": kind("operation"), "post": kind("operation"),
			"put": kind("operation"), "patch": kind("operation"), "delete": kind("operation"),
		},
		"operation": {
			"operationId": same, "tags": same, "summary": same, "description": same, "deprecated": same, "security": same,
			"parameters": listOf(kind("parameter")), "requestBody": kind("body"), "responses": mapOf(kind("response")),
		},
		"parameter": {"$ref": same, "name": same, "in": same, "required": same, "allowEmptyValue": same, "description": same, "example": same, "schema": schema30},
		"body":      {"required": same, "description": same, "content": content30},
		"response":  {"$ref": same, "description": same, "headers": mapOf(kind("header")), "content": content30},
		"header":    {"required": same, "description": same, "example": same, "schema": schema30},
		"media":     {"example": same, "schema": schema30},
	}
}

// renamed has the fields that have another name in OpenAPI 3.0.
var renamed = map[string]string{"identifier": "url"}

func same(_ string, v any) (any, error)  { return v, nil }
func version30(string, any) (any, error) { return "3.0.3", nil }
func license30(_ string, v any) (any, error) {
	return fmt.Sprintf("https://spdx.org/licenses/%v.html", v), nil
}

func (o object) convert(at string, v any) (yaml.MapSlice, error) {
	fields, err := mapping(at, v)
	if err != nil {
		return nil, err
	}
	var converted yaml.MapSlice
	for _, f := range fields {
		key := fmt.Sprint(f.Key)
		convert := o[key]
		switch {
		case convert != nil:
		case strings.HasPrefix(key, "x-"):
			convert = same
		default:
			return nil, fmt.Errorf("%s/%s: it is not known what becomes of this in OpenAPI 3.0", at, key)
		}
		if key == "$ref" && len(fields) > 1 {
			return nil, fmt.Errorf("%s: OpenAPI 3.0 allows nothing beside $ref here", at)
		}
		value, err := convert(at+"/"+key, f.Value)
		if err != nil {
			return nil, err
		}
		if to := renamed[key]; to != "" {
			key = to
		}
		converted = append(converted, yaml.MapItem{Key: key, Value: value})
	}
	return converted, nil
}

// pointer escapes a key for a JSON Pointer.
var pointer = strings.NewReplacer("~", "~0", "/", "~1")

func mapOf(convert converter) converter {
	return func(at string, v any) (any, error) {
		fields, err := mapping(at, v)
		if err != nil {
			return nil, err
		}
		converted := yaml.MapSlice{}
		for _, f := range fields {
			value, err := convert(at+"/"+pointer.Replace(fmt.Sprint(f.Key)), f.Value)
			if err != nil {
				return nil, err
			}
			converted = append(converted, yaml.MapItem{Key: f.Key, Value: value})
		}
		return converted, nil
	}
}

func listOf(convert converter) converter {
	return func(at string, v any) (any, error) {
		items, ok := v.([]any)
		if !ok {
			return nil, fmt.Errorf("%s: must be a list", at)
		}
		converted := make([]any, len(items))
		for i, item := range items {
			var err error
			if converted[i], err = convert(fmt.Sprintf("%s/%d", at, i), item); err != nil {
				return nil, err
			}
		}
		return converted, nil
	}
}

// content30 converts bodies by media type. OpenAPI 3.1 may say nothing about a body that
// is no JSON; 3.0 wants to hear that it is text or bytes.
func content30(at string, v any) (any, error) {
	fields, err := mapping(at, v)
	if err != nil {
		return nil, err
	}
	var converted yaml.MapSlice
	for _, f := range fields {
		kind := fmt.Sprint(f.Key)
		media, err := objects["media"].convert(at+"/"+pointer.Replace(kind), f.Value)
		if err != nil {
			return nil, err
		}
		schema := yaml.MapSlice{}
		switch {
		case strings.HasPrefix(kind, "text/"):
			schema = yaml.MapSlice{{Key: "type", Value: "string"}}
		case !strings.HasSuffix(kind, "json"):
			schema = yaml.MapSlice{{Key: "type", Value: "string"}, {Key: "format", Value: "binary"}}
		}
		if !has(media, "schema") {
			media = append(media, yaml.MapItem{Key: "schema", Value: schema})
		}
		converted = append(converted, yaml.MapItem{Key: kind, Value: media})
	}
	return converted, nil
}

func mapping(at string, v any) (yaml.MapSlice, error) {
	switch v := v.(type) {
	case yaml.MapSlice:
		return v, nil
	case map[string]any: // goccy/go-yaml gives this for {}
		if len(v) == 0 {
			return yaml.MapSlice{}, nil
		}
	}
	return nil, fmt.Errorf("%s: must be an object", at)
}

func has(m yaml.MapSlice, key string) bool {
	return slices.ContainsFunc(m, func(f yaml.MapItem) bool { return f.Key == key })
}
