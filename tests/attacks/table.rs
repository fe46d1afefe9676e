//! Every source of a name against every use of it.
