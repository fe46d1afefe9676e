//! Words and signs by which a text is known that is no token.

/// Words that stand where the token goes, in documentation and templates: small letters, `_`
/// between words.
pub(super) const WORDS: [&str; 26] = [
    "auth_token",
    "runner_auth_token",
    "launch_agent_api_auth_token",
    "circleci_runner_api_auth_token",
    "resource_class_token",
    "runner_token",
    "api_token",
    "token",
    "your_token",
    "your_token_here",
    "your_auth_token",
    "my_token",
    "token_here",
    "changeme",
    "change_me",
    "replaceme",
    "replace_me",
    "placeholder",
    "example",
    "todo",
    "redacted",
    "secret",
    "test",
    "dummy",
    "fixme",
    "tbd",
];

/// Words with which a template asks for something.
pub(super) const ASKING: [&str; 18] = [
    "replace",
    "replacewith",
    "your",
    "insert",
    "enter",
    "put",
    "paste",
    "add",
    "set",
    "fill",
    "change",
    "changeme",
    "todo",
    "fixme",
    "my",
    "example",
    "dummy",
    "placeholder",
];

/// What programs write for nothing.
pub(super) const NOTHING: [&str; 12] = [
    "none",
    "null",
    "(null)",
    "nil",
    "<nil>",
    "undefined",
    "nan",
    "false",
    "true",
    "[object object]",
    "<no value>",
    "n/a",
];

/// Between which templates have their blanks.
pub(super) const BLANKS: [(&str, &str); 11] = [
    ("{{", "}}"),
    ("((", "))"),
    ("#{", "}"),
    ("%{", "}"),
    ("<", ">"),
    ("[[", "]]"),
    ("[", "]"),
    ("__", "__"),
    ("@@", "@@"),
    ("@", "@"),
    ("{", "}"),
];

/// How texts begin that a tool has to decrypt.
pub(super) const ENCRYPTED: [(&str, &str); 8] = [
    ("ENC[", "encrypted by SOPS or eyaml"),
    ("ENC(", "encrypted by Jasypt"),
    ("$ANSIBLE_VAULT", "encrypted by Ansible Vault"),
    ("-----BEGIN PGP MESSAGE", "encrypted by PGP"),
    ("-----BEGIN AGE", "encrypted by age"),
    ("vault:v", "encrypted by Vault"),
    ("AQICAH", "encrypted by AWS KMS"),
    ("{cipher}", "encrypted by a configuration server"),
];

/// How the names of secrets in stores begin.
pub(super) const REFERENCES: [(&str, &str); 19] = [
    ("arn:", "of AWS"),
    ("vault:", "Vault"),
    ("vault://", "Vault"),
    ("ref+", "of vals"),
    ("ssm:", "of AWS Systems Manager"),
    ("ssm-secure:", "of AWS Systems Manager"),
    ("ssm://", "of AWS Systems Manager"),
    ("awssm:", "AWS Secrets Manager"),
    ("aws-sm:", "AWS Secrets Manager"),
    ("secretsmanager:", "AWS Secrets Manager"),
    ("asm://", "AWS Secrets Manager"),
    ("resolve:", "of AWS CloudFormation"),
    ("gcp-sm:", "Google Secret Manager"),
    ("sm://", "Google Secret Manager"),
    ("projects/", "Google Secret Manager"),
    ("op://", "1Password"),
    ("@Microsoft.KeyVault", "Azure Key Vault"),
    ("azkv:", "Azure Key Vault"),
    ("secret:", "a secret store"),
];

/// How tokens of other services begin.
pub(super) const OTHERS: [(&str, &str); 14] = [
    ("ghp_", "GitHub"),
    ("gho_", "GitHub"),
    ("ghs_", "GitHub"),
    ("ghu_", "GitHub"),
    ("ghr_", "GitHub"),
    ("github_pat_", "GitHub"),
    ("glpat-", "GitLab"),
    ("glrt-", "GitLab"),
    ("hvs.", "Vault"),
    ("npm_", "npm"),
    ("dckr_pat_", "Docker"),
    ("xoxb-", "Slack"),
    ("AKIA", "AWS"),
    ("ASIA", "AWS"),
];
