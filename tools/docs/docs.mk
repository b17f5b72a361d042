# Manuals and completions: templates that drover-docs fills in with what the programs know of
# themselves.

$(B)/drover-docs: $(DOCS_OBJECTS) $(B)/libinternal.a
	$(call say,LINK,$@)
	$(Q)$(LINKER) -o $@ $^ $(LDLIBS)

$(MANUALS): $(B)/man/%: tools/manual/%.in
$(COMPLETIONS): $(B)/completions/%: tools/completions/%.in
$(MANUALS) $(COMPLETIONS): $(B)/drover-docs $(B)/drover $(B)/drover-load $(B)/drover-lab include/drover.h
	$(call say,DOC,$@)
	@mkdir -p $(@D)
	$(Q)$(B)/drover-docs $(B) $(filter %.in,$^) >$@

manuals: $(MANUALS) ## the manual pages, in build/man

completions: $(COMPLETIONS) ## what bash, zsh and fish complete, in build/completions
