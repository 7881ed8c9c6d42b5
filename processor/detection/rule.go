package detection

import "github.com/regionwatch/regionwatch/schema/alert"

// The rule's facts, word for word those of panther-analysis, rules/aws_cloudtrail_rules/aws_unused_region.yml.
const (
	RuleID          = "AWS.UnusedRegion"
	RuleName        = "Unused AWS Region"
	RuleDescription = "CloudTrail logged non-read activity from a verboten AWS region."
	RuleRunbook     = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws-enable-disable-regions.html"
	RuleReference   = "https://attack.mitre.org/techniques/T1535/"
)

// ruleTags and ruleTechniques stand in every alert; nobody writes to them.
var (
	ruleTags = []string{"AWS", "Defense Evasion:Unused/Unsupported Cloud Regions", "Configuration Required"}

	// TA0005 is the tactic that ATT&CK names "Stealth" today and the tag by its older name.
	ruleTechniques = []alert.Technique{{Tactic: "TA0005", Technique: "T1535"}}
)
