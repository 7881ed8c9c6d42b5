package scp

import (
	"fmt"
	"strings"
	"unicode"
)

// exemption is a principal, or events of a service, that a statement exempts.
type exemption struct {
	principal string
	source    string // event source
	name      string // event name, with * and ?; empty means all of the source
}

// eventSources are the event sources of IAM prefixes that are not PREFIX.amazonaws.com
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-aws-service-specific-topics.html).
var eventSources = map[string][]string{
	"aws-portal":  {"billingconsole.amazonaws.com"},
	"billing":     {"billing.amazonaws.com", "billingconsole.amazonaws.com"},
	"cloudwatch":  {"monitoring.amazonaws.com"},
	"execute-api": {"apigateway.amazonaws.com"},
	"ses":         {"ses.amazonaws.com", "email.amazonaws.com"},
}

// eventNames are the event names of IAM actions that have other names in CloudTrail.
var eventNames = map[string]string{
	"lambda:invokefunction":          "Invoke",
	"s3:listallmybuckets":            "ListBuckets",
	"s3:getaccountpublic*":           "GetAccountPublic*",
	"s3:putaccountpublic*":           "PutAccountPublic*",
	"s3:listbucket":                  "ListObjects*",
	"s3:getaccountpublicaccessblock": "GetAccountPublicAccessBlock",
}

// addActions adds the events of the actions that a statement exempts.
func (im *importer) addActions(s *statement, d *denial) {
	for _, action := range s.NotAction {
		prefix, name, ok := strings.Cut(action, ":")
		prefix = strings.ToLower(prefix)
		switch {
		case placeholder.MatchString(action):
			im.fault(s, fmt.Sprintf("%s is a placeholder; want an action", quote(action)))
			continue
		case !ok || name == "" || strings.ContainsAny(prefix, "*? /"):
			im.note(s, fmt.Sprintf("the action %s names no service", quote(action)))
			continue
		}
		sources := eventSources[prefix]
		if sources == nil {
			sources = []string{prefix + ".amazonaws.com"}
		}
		for _, source := range sources {
			d.exempt = append(d.exempt, exemption{source: source, name: eventName(prefix, name)})
		}
	}
}

// eventName returns an action's name in CloudTrail. IAM ignores case, CloudTrail does not.
func eventName(prefix, name string) string {
	if name == "*" {
		return ""
	}
	if known, ok := eventNames[prefix+":"+strings.ToLower(name)]; ok {
		return known
	}
	runes := []rune(name)
	runes[0] = unicode.ToUpper(runes[0])
	name = string(runes)
	if prefix == "lambda" && !strings.HasSuffix(name, "*") {
		name += "*" // management events carry the date of their API
	}
	return name
}
